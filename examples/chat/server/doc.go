// Package server is a chat server on gatehouse, as a command or a part of one runs it.
//
//	err := server.Run(ctx, "127.0.0.1:8080", server.Options{Data: "chat.db"}) // until ctx ends
//
// or, in a server of one's own:
//
//	chat, err := server.New(ctx, server.Options{Data: "chat.db", Store: store, Queue: queue})
//	if err != nil {
//		return err
//	}
//	http.ListenAndServe(addr, chat.Handler())
//	…
//	err = chat.Close(ctx) // before store and queue
//
// run.go starts and stops it, server.go joins the parts, guild.go is who and what
// there is, messages.go and its like are what users do, commands.go has the page ask
// for it and api.go bots, and events.go is how Discord's clients want to be told.
package server

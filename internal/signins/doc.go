// Package signins measures what a sign-in costs where the gateway has a broker and a store of its own: the
// time from Identify to READY, for one client after another and for many at once.
//
//	signins.Bench(b, gateway.Options{Broker: broker, Sessions: sessions})
//
// It is for benchmarks of this repository alone.
package signins

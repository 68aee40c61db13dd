// Command customstore is an application that had its own posts before it had gatehouse: store.go
// makes its table a message.Store, and the kit in store_test.go says whether it does it right.
package main

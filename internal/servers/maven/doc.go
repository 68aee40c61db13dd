// Package maven has the jars of servers that are written in Java: [Fetch] brings what the pom.xml in a folder here lists,
// with its dependencies, into the user's cache, and [Jars] finds it there.
//
// The folder in the cache is named after the pom.xml, so that what one lists and what is there are the same, and every
// checkout shares it: Kafka is 46 jars of 44 MB, Cassandra 100 of 66 MB. Both need the JDK of Debian 12, version 17, and fetching
// needs Maven. Only Fetch needs a network.
package maven

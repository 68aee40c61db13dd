// Package gatewaytest is a network in memory.
package gatewaytest

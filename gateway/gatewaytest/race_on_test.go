//go:build race

package gatewaytest

const raceOn = true

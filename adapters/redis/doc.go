// Package redis stub
package redis

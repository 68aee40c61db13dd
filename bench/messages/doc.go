// Package messages measures the way of a message: a message.Pipeline on each of the
// stores, beside the store alone that is given the same batches, which is the limit;
// and a message.Cache in front of one.
package messages

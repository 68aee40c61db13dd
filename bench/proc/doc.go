// Package proc reads what Linux says of this process and of the machine.
package proc

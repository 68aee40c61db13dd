// Package wheel is a timer wheel: many deadlines, coarse, behind one ticker.
package wheel

package proc

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// CPU is the processor time that this process has used so far, in seconds, user
// and system.
func CPU() float64 {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

// Number is the number behind a key, such as "VmRSS:", in a file of /proc; 0 if it
// is not there. Where the file says kB, so does the number.
func Number(file, key string) int64 {
	text, _ := os.ReadFile(file)
	return number(text, key)
}

func number(text []byte, key string) int64 {
	for line := range bytes.Lines(text) {
		if f := bytes.Fields(line); len(f) > 1 && string(f[0]) == key {
			n, _ := strconv.ParseInt(string(f[1]), 10, 64)
			return n
		}
	}
	return 0
}

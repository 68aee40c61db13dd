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

// MachineCPU is the processor time that the whole machine has spent on anything so
// far, other guests of its host included, in seconds; in steps of 10 ms.
func MachineCPU() float64 {
	text, _ := os.ReadFile("/proc/stat")
	return machineCPU(text)
}

func machineCPU(stat []byte) (seconds float64) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	for i, f := range bytes.Fields(line) {
		// "cpu", then user, nice, system, idle, iowait, irq, softirq, steal; guests
		// of ours are in user.
		if ticks, err := strconv.ParseInt(string(f), 10, 64); err == nil && i <= 8 && i != 4 && i != 5 {
			seconds += float64(ticks) / 100
		}
	}
	return seconds
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

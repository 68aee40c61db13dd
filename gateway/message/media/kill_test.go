package media

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// victim names the folder into which a second process of this test puts objects until it is killed.
const victim = "MEDIA_TEST_VICTIM"

// killed is the n-th object: 200 KB, so that many a kill meets a half of one.
func killed(n int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%06d\n", n), 30_000)
}

// Whenever a process is killed: what Put returned is there, everything that is there is whole, and
// what is left besides is temporary and swept.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(victim); dir != "" {
		putForEver(dir)
	}
	dir := t.TempDir()
	done, halves, late := 0, 0, 0
	rounds := 15
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		before := done
		done = killOne(t, dir, done, done+1+rand.IntN(5), round%3 == 0)
		left, err := os.ReadDir(filepath.Join(dir, "temp"))
		if halves += len(left); err != nil || round%3 == 0 && len(left) != 1 {
			t.Fatalf("killed in the midst of an object, and it left %d: %v", len(left), err)
		}
		d, err := NewDisk(dir, DiskOptions{TempAge: time.Nanosecond})
		if err != nil {
			t.Fatal(err)
		}
		names := files(t, d)
		for _, name := range names {
			f, err := os.ReadFile(dir + "/" + name)
			if hash := path.Base(path.Dir(name)); err != nil || Hash(sha256.Sum256(f)).String() != hash {
				t.Errorf("%s is not whole: %d bytes, %v", name, len(f), err)
			}
		}
		if len(names) < done || len(names) > done+1 || done <= before {
			t.Fatalf("%d acknowledged, %d found", done, len(names))
		}
		for n := range done {
			r, _, err := d.Open(t.Context(), sha256.Sum256(killed(n)))
			if err != nil {
				t.Fatalf("object %d was acknowledged: %v", n, err)
			}
			data, err := io.ReadAll(r)
			r.Close()
			if err != nil || !bytes.Equal(data, killed(n)) {
				t.Errorf("object %d: %d bytes, %v", n, len(data), err)
			}
		}
		if n := temps(t, d); n != 0 {
			t.Errorf("%d temporary folders are left", n)
		}
		if len(names) > done {
			late++ // the kill came between the rename and the acknowledgement
		}
	}
	t.Logf("%d objects in %d rounds; %d left a temporary folder, %d one object more than was acknowledged", done, rounds, halves, late)
}

// killOne starts the second process at object n, kills it when it has acknowledged those before until,
// in the midst of the next one or at any moment soon, and returns how many are acknowledged by then.
func killOne(t *testing.T, dir string, n, until int, inTheMidst bool) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), victim+"="+dir, victim+"_FROM="+strconv.Itoa(n))
	if inTheMidst {
		cmd.Env = append(cmd.Env, victim+"_STOP="+strconv.Itoa(until))
	}
	in, errIn := cmd.StdinPipe() // nothing comes of it
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "half" {
			cmd.Process.Kill()
			continue
		}
		number, ok := strings.CutPrefix(lines.Text(), "put ")
		put, err := strconv.Atoi(number)
		if !ok || err != nil {
			t.Fatalf("the other process: %s", lines.Text())
		}
		if n = put + 1; n == until && !inTheMidst {
			timer := time.AfterFunc(rand.N(5*time.Millisecond), func() { cmd.Process.Kill() })
			defer timer.Stop()
		}
	}
	cmd.Wait()
	return n
}

// putForEver puts objects and says so. Of the one at which it is to stop it says that half is written,
// and waits for its end.
func putForEver(dir string) {
	n, err := strconv.Atoi(os.Getenv(victim + "_FROM"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	stop := os.Getenv(victim + "_STOP")
	d, err := NewDisk(dir, DiskOptions{})
	for ; err == nil; n++ {
		data := killed(n)
		r := io.MultiReader(bytes.NewReader(data[:len(data)/2]), callReader(func() {
			if strconv.Itoa(n) == stop {
				fmt.Println("half")
				os.Stdin.Read(make([]byte, 1))
			}
		}), bytes.NewReader(data[len(data)/2:]))
		if _, err = d.Put(context.Background(), r, "image/png"); err == nil {
			fmt.Println("put", n)
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

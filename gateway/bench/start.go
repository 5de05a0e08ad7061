package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"
)

const (
	starts   = 5               // how often the program is started
	settling = 5 * time.Second // after that it is called idle
)

// measureStart starts the program on a fresh folder several times, and prints
// how long until /readyz answers and how much memory it has when idle.
func measureStart(ctx context.Context, binary string) error {
	var times []time.Duration
	var memory int
	for i := range starts {
		took, resident, err := startOnce(ctx, binary, i == starts-1)
		if err != nil {
			return err
		}
		times = append(times, took)
		memory = max(memory, resident)
	}
	slices.Sort(times)
	middle := times[len(times)/2]
	fmt.Printf("start on an empty folder until ready: median %s, worst %s of %d; %s\n", middle.Round(time.Millisecond),
		times[len(times)-1].Round(time.Millisecond), starts, verdict(middle < time.Second, "under 1 s"))
	fmt.Printf("idle, %s after that: %d MB resident; %s\n\n", settling, memory/1024, verdict(memory < 150*1024, "under 150 MB"))
	return nil
}

func startOnce(ctx context.Context, binary string, settle bool) (took time.Duration, resident int, err error) {
	dir, err := os.MkdirTemp("", "trama-start-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	address, err := freeAddress()
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.CommandContext(ctx, binary, "serve", "--data", dir, "--http", address, "--grpc", "127.0.0.1:0")
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // ended by a signal
	}()
	for {
		res, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(began) > 30*time.Second {
			return 0, 0, errors.New("not ready after 30 s")
		}
		time.Sleep(2 * time.Millisecond)
	}
	took = time.Since(began)
	if settle {
		time.Sleep(settling)
		resident, err = residentKB(cmd.Process.Pid)
	}
	return took, resident, err
}

var vmRSS = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`)

func residentKB(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := vmRSS.FindSubmatch(status)
	if m == nil {
		return 0, errors.New("no resident size")
	}
	return strconv.Atoi(string(m[1]))
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

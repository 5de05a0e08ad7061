package bus

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Embedded starts a NATS server inside this process, without a socket, and
// connects to it. Every acknowledged event is on disk: SyncAlways, where the
// server's own default would be an fsync every two minutes.
func Embedded(cfg Config) (*Bus, error) {
	if cfg.StoreDir == "" {
		return nil, errors.New("bus: StoreDir is empty")
	}
	cfg = cfg.withDefaults()
	ns, err := server.NewServer(&server.Options{
		ServerName:         cfg.Name,
		DontListen:         true,
		JetStream:          true,
		StoreDir:           cfg.StoreDir,
		SyncAlways:         true,
		JetStreamMaxMemory: 64 << 20,
		JetStreamMaxStore:  cfg.MaxStore,
		NoSigs:             true,
	})
	if err != nil {
		return nil, fmt.Errorf("bus: embedded server: %w", err)
	}
	ns.SetLoggerV2(serverLog{cfg.Log}, false, false, false)
	ns.Start()
	b, err := connectEmbedded(cfg, ns)
	if err != nil {
		ns.Shutdown()
		ns.WaitForShutdown()
		return nil, err
	}
	return b, nil
}

func connectEmbedded(cfg Config, ns *server.Server) (*Bus, error) {
	if !ns.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("bus: the embedded server did not start within 10 s")
	}
	if !ns.JetStreamEnabled() {
		return nil, fmt.Errorf("bus: the embedded server cannot use %s for its streams", cfg.StoreDir)
	}
	return open(cfg, ns, nats.InProcessServer(ns))
}

// serverLog lets the embedded server's warnings and errors into the log. Its
// notices (a banner, addresses) would only repeat what the program says itself.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Warnf(format string, args ...any) {
	l.log.Warn("nats server", "text", fmt.Sprintf(format, args...))
}

func (l serverLog) Errorf(format string, args ...any) {
	l.log.Error("nats server", "text", fmt.Sprintf(format, args...))
}

func (l serverLog) Fatalf(format string, args ...any) {
	l.log.Error("nats server", "text", fmt.Sprintf(format, args...))
}

func (serverLog) Noticef(string, ...any) {}
func (serverLog) Debugf(string, ...any)  {}
func (serverLog) Tracef(string, ...any)  {}

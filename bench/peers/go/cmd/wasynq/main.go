package main

import (
	"context"
	"flag"
	"time"

	"github.com/hibiken/asynq"
	"peers/mono"
)

func main() {
	c := flag.Int("c", 1000, "")
	iv := flag.Duration("check", 0, "TaskCheckInterval (0 = default 1s)")
	flag.Parse()
	srv := asynq.NewServer(asynq.RedisClientOpt{Addr: mono.Env("REDIS_ADDR", "127.0.0.1:6379"), DB: 2, PoolSize: 64}, asynq.Config{Concurrency: *c, LogLevel: asynq.ErrorLevel, TaskCheckInterval: *iv, ShutdownTimeout: time.Second})
	mux := asynq.NewServeMux()
	mux.HandleFunc("llm", func(ctx context.Context, t *asynq.Task) error { return mono.Call(t.Payload()) })
	srv.Run(mux)
}

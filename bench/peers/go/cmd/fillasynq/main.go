// fillasynq: fills Asynq's queue with the same envelopes. -n, -keys as fillkafka.
package main

import (
	"flag"
	"fmt"

	"github.com/hibiken/asynq"
	"peers/mono"
)

func main() {
	n := flag.Int("n", 20000, "")
	keys := flag.Int("keys", 500, "")
	model := flag.String("model", "sim-50ms-1tok-0gap", "")
	flag.Parse()
	cl := asynq.NewClient(asynq.RedisClientOpt{Addr: mono.Env("REDIS_ADDR", "127.0.0.1:6379"), DB: 2, PoolSize: 64})
	for i := 0; i < *n; i++ {
		session := fmt.Sprintf("s-%04d", i%*keys)
		if _, err := cl.Enqueue(asynq.NewTask("llm", mono.Envelope(i, session, i / *keys + 1, *model))); err != nil {
			panic(err)
		}
	}
	fmt.Printf("{\"produced\":%d}\n", *n)
}

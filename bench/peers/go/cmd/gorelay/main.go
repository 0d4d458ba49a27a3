// gorelay: the same ingress + SSE relay in Go (franz-go, go-redis): subscribe, XRANGE replay, then pub/sub.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"
	"peers/mono"
)

func main() {
	r := redis.NewClient(&redis.Options{Addr: mono.Env("REDIS_ADDR", "127.0.0.1:6379"), DB: 6, PoolSize: 200})
	cl, err := kgo.NewClient(kgo.SeedBrokers(mono.Env("KAFKA_BROKERS", "127.0.0.1:9092")), kgo.DefaultProduceTopic(mono.Env("TOPIC", "peers.stream")), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		panic(err)
	}
	http.HandleFunc("POST /jobs", func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		var j map[string]any
		if json.Unmarshal(b, &j) != nil {
			http.Error(w, "bad", 422)
			return
		}
		id := uuid.NewString()
		j["job_id"] = id
		out, _ := json.Marshal(j)
		if e := cl.ProduceSync(q.Context(), &kgo.Record{Key: []byte(fmt.Sprint(j["session_id"])), Value: out}).FirstErr(); e != nil {
			http.Error(w, "q", 503)
			return
		}
		w.WriteHeader(202)
		io.WriteString(w, `{"job_id":"`+id+`","status":"queued"}`)
	})
	type ev struct {
		Type string `json:"type"`
		I    int    `json:"i"`
	}
	http.HandleFunc("GET /jobs/{id}/events", func(w http.ResponseWriter, q *http.Request) {
		key := "peers:job:" + q.PathValue("id")
		ctx := q.Context()
		ps := r.Subscribe(ctx, key)
		defer ps.Close()
		if _, e := ps.Receive(ctx); e != nil {
			http.Error(w, "redis", 503)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fl := w.(http.Flusher)
		seen := 0
		send := func(d string) bool {
			var e ev
			json.Unmarshal([]byte(d), &e)
			if e.Type == "token" && e.I <= seen {
				return true
			}
			if e.I > seen {
				seen = e.I
			}
			fmt.Fprintf(w, "event: %s\nid: %d\ndata: %s\n\n", e.Type, e.I, d)
			fl.Flush()
			return e.Type != "done"
		}
		xs, _ := r.XRange(ctx, key, "-", "+").Result()
		for _, x := range xs {
			if !send(x.Values["d"].(string)) {
				return
			}
		}
		fl.Flush()
		ch := ps.Channel(redis.WithChannelSize(1000), redis.WithChannelSendTimeout(30*time.Second))
		for {
			select {
			case m, ok := <-ch:
				if !ok || !send(m.Payload) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
	_ = context.Background
	panic(http.ListenAndServe(mono.Env("LISTEN", "127.0.0.1:29083"), nil))
}

// gostreamw: franz-go consumer -> streaming LLM call -> XADD + PUBLISH per token (one pipeline per token)
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"
	"peers/mono"
)

func main() {
	ctx := context.Background()
	r := redis.NewClient(&redis.Options{Addr: mono.Env("REDIS_ADDR", "127.0.0.1:6379"), DB: 6, PoolSize: 64})
	cl, err := kgo.NewClient(kgo.SeedBrokers(mono.Env("KAFKA_BROKERS", "127.0.0.1:9092")), kgo.ConsumeTopics(mono.Env("TOPIC", "peers.stream")), kgo.ConsumerGroup(os.Args[1]), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		panic(err)
	}
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4000}}
	put := func(key string, v any, fin bool) {
		b, _ := json.Marshal(v)
		p := r.Pipeline()
		p.XAdd(ctx, &redis.XAddArgs{Stream: key, MaxLen: 2000, Approx: true, Values: []any{"d", b}})
		p.Publish(ctx, key, b)
		if fin {
			p.Expire(ctx, key, time.Minute)
		}
		if _, e := p.Exec(ctx); e != nil {
			fmt.Fprintln(os.Stderr, e)
		}
	}
	one := func(raw []byte) {
		var j struct {
			JobID    string          `json:"job_id"`
			Model    string          `json:"model"`
			Messages json.RawMessage `json:"messages"`
		}
		json.Unmarshal(raw, &j)
		body, _ := json.Marshal(map[string]any{"model": j.Model, "stream": true, "messages": j.Messages})
		rs, e := hc.Post(mono.Env("LLM_URL", "http://127.0.0.1:29080")+"/v1/chat/completions", "application/json", bytes.NewReader(body))
		if e != nil {
			fmt.Fprintln(os.Stderr, e)
			return
		}
		defer rs.Body.Close()
		sc := bufio.NewScanner(rs.Body)
		key := "peers:job:" + j.JobID
		n := 0
		for sc.Scan() {
			l := sc.Bytes()
			if !bytes.HasPrefix(l, []byte("data: ")) {
				continue
			}
			if bytes.Equal(l[6:], []byte("[DONE]")) {
				break
			}
			var c struct {
				Choices []struct{ Delta struct{ Content string } }
			}
			if json.Unmarshal(l[6:], &c) != nil || len(c.Choices) == 0 || c.Choices[0].Delta.Content == "" {
				continue
			}
			n++
			put(key, map[string]any{"type": "token", "i": n, "text": c.Choices[0].Delta.Content}, false)
		}
		put(key, map[string]any{"type": "done", "n": n}, true)
	}
	fmt.Println("ready")
	for {
		cl.PollFetches(ctx).EachRecord(func(rc *kgo.Record) { go one(rc.Value) })
	}
}

// wkgo: hand-written Go worker (franz-go): per-key order, up to -c in flight, commits the contiguous done offset per partition.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"peers/mono"
)

type track struct {
	next int64
	done map[int64]bool
	ep   int32
}

func main() {
	topic := flag.String("topic", "peers.skew", "")
	group := flag.String("group", "g", "")
	c := flag.Int("c", 1000, "")
	reset := flag.String("reset", "earliest", "")
	flag.Parse()
	off := kgo.NewOffset().AtStart()
	if *reset == "latest" {
		off = kgo.NewOffset().AtEnd()
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(mono.Env("KAFKA_BROKERS", "127.0.0.1:9092")), kgo.ConsumeTopics(*topic), kgo.ConsumerGroup(*group), kgo.ConsumeResetOffset(off), kgo.AutoCommitMarks(), kgo.AutoCommitInterval(500*time.Millisecond), kgo.FetchMaxWait(500*time.Millisecond))
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	var mu sync.Mutex
	queues := map[string][]*kgo.Record{}
	tr := map[int32]*track{}
	sem := make(chan struct{}, *c)
	maxQ := make(chan struct{}, 20*(*c)) // records held in memory
	finish := func(r *kgo.Record) {
		mu.Lock()
		t := tr[r.Partition]
		t.done[r.Offset] = true
		moved := false
		for t.done[t.next] {
			delete(t.done, t.next)
			t.next++
			moved = true
		}
		n := t.next
		mu.Unlock()
		if moved {
			cl.MarkCommitRecords(&kgo.Record{Topic: r.Topic, Partition: r.Partition, Offset: n - 1, LeaderEpoch: r.LeaderEpoch})
		}
		<-maxQ
	}
	run := func(k string) {
		for {
			mu.Lock()
			q := queues[k]
			if len(q) == 0 {
				delete(queues, k)
				mu.Unlock()
				return
			}
			r := q[0]
			mu.Unlock()
			sem <- struct{}{}
			if err := mono.Call(r.Value); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			<-sem
			finish(r)
			mu.Lock()
			queues[k] = queues[k][1:]
			mu.Unlock()
		}
	}
	for {
		fs := cl.PollFetches(ctx)
		fs.EachRecord(func(r *kgo.Record) {
			maxQ <- struct{}{}
			mu.Lock()
			if tr[r.Partition] == nil {
				tr[r.Partition] = &track{next: r.Offset, done: map[int64]bool{}}
			}
			k := string(r.Key)
			q, ok := queues[k]
			queues[k] = append(q, r)
			mu.Unlock()
			if !ok {
				go run(k)
			}
		})
	}
}

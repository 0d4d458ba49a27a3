// fillkafka: (re)creates topics and fills one with millrace envelopes, key = tenant/session.
// -n jobs over -keys sessions, -s the exponent of their skew (0: even). Prints the largest key.
package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"peers/mono"
)

func recreate(ctx context.Context, cl *kgo.Client, topic string, partitions int32) {
	adm := kadm.NewClient(cl)
	adm.DeleteTopics(ctx, topic)
	for i := 0; i < 50; i++ {
		rs, err := adm.CreateTopics(ctx, partitions, 1, nil, topic)
		if err == nil && rs[topic].Err == nil {
			await(ctx, adm, topic)
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	panic("cannot create " + topic)
}

// await returns once the broker serves every partition, which is a while after they were made.
func await(ctx context.Context, adm *kadm.Client, topic string) {
	for i := 0; i < 100; i++ {
		if offsets, err := adm.ListEndOffsets(ctx, topic); err == nil && offsets.Error() == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	panic("no leader for " + topic)
}

func main() {
	topic := flag.String("topic", "", "comma-separated: all are made, the first is filled")
	partitions := flag.Int("partitions", 12, "")
	keep := flag.Bool("keep", false, "do not delete and create the topic")
	n := flag.Int("n", 0, "")
	keys := flag.Int("keys", 500, "")
	skew := flag.Float64("s", 0, "")
	model := flag.String("model", "sim-50ms-1tok-0gap", "")
	flag.Parse()
	names := strings.Split(*topic, ",")
	cl, err := kgo.NewClient(kgo.SeedBrokers(mono.Env("KAFKA_BROKERS", "127.0.0.1:9092")), kgo.DefaultProduceTopic(names[0]), kgo.ProducerLinger(5*time.Millisecond), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(100000))
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if !*keep {
		for _, name := range names {
			recreate(ctx, cl, name, int32(*partitions))
		}
	}
	largest := 0
	for _, turn := range mono.Turns(*n, *keys, *skew) {
		largest = max(largest, turn.Seq)
		session := fmt.Sprintf("s-%04d", turn.Key)
		cl.Produce(ctx, &kgo.Record{Key: []byte("default/" + session), Value: mono.Envelope(turn.N, session, turn.Seq, *model)}, func(_ *kgo.Record, err error) {
			if err != nil {
				panic(err)
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		panic(err)
	}
	fmt.Printf("{\"produced\":%d,\"largest_key\":%d}\n", *n, largest)
}

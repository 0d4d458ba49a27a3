// pickup: one job every -every ms plus up to 20 ms of jitter, stamped just before it is produced.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"peers/mono"
)

func main() {
	topic := flag.String("topic", "", "")
	n := flag.Int("n", 200, "")
	every := flag.Int("every", 60, "")
	flag.Parse()
	ctx := context.Background()
	cl, err := kgo.NewClient(kgo.SeedBrokers(mono.Env("KAFKA_BROKERS", "127.0.0.1:9092")), kgo.DefaultProduceTopic(*topic), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		panic(err)
	}
	if err := cl.Ping(ctx); err != nil {
		panic(err)
	}
	run := time.Now().UnixNano()
	for i := 0; i < *n; i++ {
		session := fmt.Sprintf("p-%x-%d", run, i)
		r := cl.ProduceSync(ctx, &kgo.Record{Key: []byte("default/" + session), Value: mono.Envelope(i, session, 1, "sim-5ms-1tok-0gap")})
		if r.FirstErr() != nil {
			panic(r.FirstErr())
		}
		time.Sleep(time.Duration(*every)*time.Millisecond + time.Duration(rand.Intn(20000))*time.Microsecond)
	}
	fmt.Printf("{\"produced\":%d}\n", *n)
}

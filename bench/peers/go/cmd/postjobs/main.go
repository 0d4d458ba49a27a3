// postjobs: the jobs of fillkafka, POSTed to an edge: those of one key in their order.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"sync"

	"peers/mono"
)

const posters = 32

func main() {
	url := flag.String("url", "", "")
	n := flag.Int("n", 0, "")
	keys := flag.Int("keys", 500, "")
	skew := flag.Float64("s", 0, "")
	model := flag.String("model", "sim-50ms-1tok-0gap", "")
	flag.Parse()
	var all sync.WaitGroup
	turns := mono.Turns(*n, *keys, *skew)
	for p := 0; p < posters; p++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for _, turn := range turns {
				if turn.Key%posters != p {
					continue
				}
				body := mono.Post(fmt.Sprintf("s-%04d", turn.Key), turn.Seq, *model)
				answer, err := mono.HC.Post(*url+"/v1/jobs", "application/json", bytes.NewReader(body))
				if err != nil {
					panic(err)
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if answer.StatusCode != 202 {
					panic(answer.Status)
				}
			}
		}()
	}
	all.Wait()
	fmt.Printf("{\"posted\":%d}\n", *n)
}

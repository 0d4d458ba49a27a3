// postpickup: POSTs jobs one by one, each stamped; the fake model tells how long they took to reach it.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"time"

	"peers/mono"
)

func main() {
	url := flag.String("url", "", "")
	style := flag.String("style", "millrace", "millrace|peer")
	n := flag.Int("n", 200, "")
	every := flag.Int("every", 10, "ms between two, and up to 10 more by chance")
	flag.Parse()
	path, form := "/v1/jobs", `{"session":"%s","model":"%s","input":[{"role":"user","content":"@%s/1/%d@ hello"}]}`
	if *style == "peer" {
		path, form = "/jobs", `{"session_id":"%s","kind":"chat","model":"%s","messages":[{"role":"user","content":"@%s/1/%d@ hello"}]}`
	}
	run := time.Now().UnixNano()
	for i := 0; i < *n; i++ {
		session := fmt.Sprintf("p-%x-%d", run, i)
		body := fmt.Sprintf(form, session, "sim-2ms-1tok-0gap", session, mono.Now())
		answer, err := mono.HC.Post(*url+path, "application/json", bytes.NewReader([]byte(body)))
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 202 {
			panic(answer.Status)
		}
		time.Sleep(time.Duration(*every)*time.Millisecond + time.Duration(rand.Intn(10000))*time.Microsecond)
	}
	fmt.Printf("{\"posted\":%d}\n", *n)
}

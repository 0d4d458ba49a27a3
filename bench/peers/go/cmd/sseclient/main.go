// sseclient: C concurrent streams; mode direct (chat completions of the fake LLM or of a proxy before it), relay (POST /jobs then GET /jobs/ID/events on -base) or millrace (the same on /v1/jobs).
// Finds "@<ns>@" in each SSE data line; prints tokens/s, latency quantiles and how long the first token took from the request.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"peers/mono"
)

func main() {
	mode := flag.String("mode", "direct", "")
	base := flag.String("base", "http://127.0.0.1:29080", "")
	c := flag.Int("c", 100, "")
	tok := flag.Int("tok", 200, "")
	model := flag.String("model", "sim-50ms-200tok-10gap", "")
	limit := flag.Duration("limit", 120*time.Second, "")
	ramp := flag.Duration("ramp", 500*time.Millisecond, "starts spread over this")
	flag.Parse()
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 5000, DisableCompression: true}, Timeout: *limit}
	var mu sync.Mutex
	var lats, waits []int64
	var first, last int64
	full, errs := 0, 0
	var wg sync.WaitGroup
	for i := 0; i < *c; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			time.Sleep(time.Duration(int64(*ramp) * int64(i) / int64(*c)))
			my := make([]int64, 0, *tok)
			var f0, l0 int64
			var rs *http.Response
			var err error
			body := fmt.Sprintf(`{"model":"%s","stream":true,"max_tokens":256,"messages":[{"role":"user","content":"hello there"}]}`, *model)
			if *mode == "relay" {
				body = fmt.Sprintf(`{"model":"%s","stream":true,"session_id":"c-%d","kind":"chat","max_tokens":256,"messages":[{"role":"user","content":"hello there"}]}`, *model, i)
			}
			asked := mono.Now()
			if *mode == "direct" {
				rs, err = hc.Post(*base+"/v1/chat/completions", "application/json", strings.NewReader(body))
			} else {
				path := "/jobs"
				if *mode == "millrace" {
					path = "/v1/jobs"
					body = fmt.Sprintf(`{"model":"%s","session":"c-%d-%d","max_tokens":256,"input":[{"role":"user","content":"hello there"}]}`, *model, i, time.Now().UnixNano())
				}
				rs, err = hc.Post(*base+path, "application/json", strings.NewReader(body))
				if err == nil {
					var a struct {
						JobID string `json:"job_id"`
						ID    string `json:"id"`
					}
					b, _ := io.ReadAll(rs.Body)
					rs.Body.Close()
					json.Unmarshal(b, &a)
					rs, err = hc.Get(*base + path + "/" + a.JobID + a.ID + "/events")
				}
			}
			if err == nil {
				br := bufio.NewReaderSize(rs.Body, 4096)
				for {
					line, e := br.ReadSlice('\n')
					if e != nil {
						break
					}
					if a := bytes.IndexByte(line, '@'); a >= 0 {
						if b := bytes.IndexByte(line[a+1:], '@'); b > 0 {
							now := mono.Now()
							t, _ := strconv.ParseInt(string(line[a+1:a+1+b]), 10, 64)
							my = append(my, now-t)
							if f0 == 0 {
								f0 = now
							}
							l0 = now
						}
					}
					if len(my) >= *tok {
						break
					}
				}
				rs.Body.Close()
			}
			mu.Lock()
			if err != nil {
				errs++
			}
			if len(my) == *tok {
				full++
			}
			lats = append(lats, my...)
			if f0 != 0 {
				waits = append(waits, f0-asked)
			}
			if f0 != 0 && (first == 0 || f0 < first) {
				first = f0
			}
			if l0 > last {
				last = l0
			}
			mu.Unlock()
		}(i)
	}
	wg.Wait()
	q := func(of []int64, f float64) float64 {
		if len(of) == 0 {
			return 0
		}
		sort.Slice(of, func(i, j int) bool { return of[i] < of[j] })
		return float64(of[int(f*float64(len(of)-1))]) / 1e6
	}
	sec := float64(last-first) / 1e9
	fmt.Printf(`{"mode":"%s","c":%d,"full":%d,"errs":%d,"tokens":%d,"secs":%.2f,"tok_s":%.0f,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.1f,"first_p50_ms":%.3f,"first_p99_ms":%.3f}`+"\n", *mode, *c, full, errs, len(lats), sec, float64(len(lats))/sec, q(lats, .5), q(lats, .99), q(lats, 1), q(waits, .5), q(waits, .99))
}

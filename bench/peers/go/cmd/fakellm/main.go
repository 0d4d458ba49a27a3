// fakellm: OpenAI-compatible fake LLM. POST /v1/chat/completions (stream or not).
// Timing from the model name "sim-50ms-200tok-10gap" or URL query ?delay=50&tok=200&gap=10.
// Checks order by key and measures pickup by the mark `@session/seq/enqueued-ns@` in the user message.
// GET /stats, POST /reset.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"peers/mono"
)

type sess struct{ inflight, last int }

var (
	mu                               sync.Mutex
	sessions                         = map[string]*sess{}
	overlap, ooo, dup, started, done int64
	inflight, maxInflight            int64
	firstStart, lastDone             int64
	pickA                            []int64
	tokens                           atomic.Int64
)

func reset() {
	mu.Lock()
	sessions = map[string]*sess{}
	overlap, ooo, dup, started, done, inflight, maxInflight, firstStart, lastDone = 0, 0, 0, 0, 0, 0, 0, 0, 0
	pickA = nil
	tokens.Store(0)
	mu.Unlock()
}

var reDelay = regexp.MustCompile(`-(\d+)ms`)
var reTok = regexp.MustCompile(`-(\d+)tok`)
var reGap = regexp.MustCompile(`-(\d+)gap`)

func num(re *regexp.Regexp, s string, d int) int {
	if m := re.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return d
}

type params struct{ delay, tok, gap int }

var cache sync.Map

func parseModel(m string) params {
	if v, ok := cache.Load(m); ok {
		return v.(params)
	}
	p := params{num(reDelay, m, 50), num(reTok, m, 16), num(reGap, m, 0)}
	cache.Store(m, p)
	return p
}

func q(xs []int64, f float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	return float64(xs[int(f*float64(len(xs)-1))]) / 1e6
}

// The user message begins with `@session/seq/enqueued-ns@`.
var reMark = regexp.MustCompile(`"@([^/"]+)/(\d+)/(\d+)@`)

func begin(body []byte) string {
	now := mono.Now()
	mark := reMark.FindSubmatch(body)
	mu.Lock()
	defer mu.Unlock()
	started++
	inflight++
	if inflight > maxInflight {
		maxInflight = inflight
	}
	if firstStart == 0 {
		firstStart = now
	}
	if mark == nil {
		return ""
	}
	s := string(mark[1])
	seq, _ := strconv.Atoi(string(mark[2]))
	if e, err := strconv.ParseInt(string(mark[3]), 10, 64); err == nil {
		pickA = append(pickA, now-e)
	}
	x := sessions[s]
	if x == nil {
		x = &sess{}
		sessions[s] = x
	}
	if x.inflight > 0 {
		overlap++
	}
	if seq <= x.last {
		dup++ // seq went backwards or repeated
	} else {
		if seq != x.last+1 {
			ooo++
		}
		x.last = seq
	}
	x.inflight++
	return s
}

func end(s string) {
	now := mono.Now()
	mu.Lock()
	done++
	inflight--
	lastDone = now
	if s != "" {
		if x := sessions[s]; x != nil {
			x.inflight--
		}
	}
	mu.Unlock()
}

func chat(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, "read", 400)
		return
	}
	var req struct {
		Model  string `json:"model"`
		Stream bool   `json:"stream"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		http.Error(w, `{"error":{"message":"bad json"}}`, 400)
		return
	}
	p := parseModel(req.Model)
	if r.URL.RawQuery != "" {
		v := r.URL.Query()
		if n, e := strconv.Atoi(v.Get("delay")); e == nil {
			p.delay = n
		}
		if n, e := strconv.Atoi(v.Get("tok")); e == nil {
			p.tok = n
		}
		if n, e := strconv.Atoi(v.Get("gap")); e == nil {
			p.gap = n
		}
	}
	s := begin(body)
	if !req.Stream {
		time.Sleep(time.Duration(p.delay) * time.Millisecond)
		out := fmt.Sprintf(`{"id":"chatcmpl-sim","object":"chat.completion","created":1,"model":%q,"choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":%d,"total_tokens":%d}}`, req.Model, string(bytes.Repeat([]byte("tok "), p.tok)), p.tok, p.tok+10)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(out)))
		end(s)
		io.WriteString(w, out)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fl := w.(http.Flusher)
	next := time.Now().Add(time.Duration(p.delay) * time.Millisecond)
	pre := `data: {"id":"chatcmpl-sim","object":"chat.completion.chunk","created":1,"model":"` + req.Model + `","choices":[{"index":0,"delta":{"content":"`
	post := "\"},\"finish_reason\":null}]}\n\n"
	buf := make([]byte, 0, 512)
	for i := 0; i < p.tok; i++ {
		if d := time.Until(next); d > 0 {
			time.Sleep(d)
		}
		next = next.Add(time.Duration(p.gap) * time.Millisecond)
		buf = append(buf[:0], pre...)
		buf = append(buf, '@') // token text "@<mono ns>@ "
		buf = strconv.AppendInt(buf, mono.Now(), 10)
		buf = append(buf, "@ "...)
		buf = append(buf, post...)
		if _, err := w.Write(buf); err != nil {
			end(s)
			return
		}
		fl.Flush()
		tokens.Add(1)
	}
	io.WriteString(w, `data: {"id":"chatcmpl-sim","object":"chat.completion.chunk","created":1,"model":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
	end(s)
}

func main() {
	addr := flag.String("addr", "127.0.0.1:29080", "")
	flag.Parse()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", chat)
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, r *http.Request) { reset(); io.WriteString(w, "ok") })
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		pa := append([]int64(nil), pickA...)
		sort.Slice(pa, func(i, j int) bool { return pa[i] < pa[j] })
		json.NewEncoder(w).Encode(map[string]any{"started": started, "done": done, "overlap": overlap, "gap": ooo, "backwards": dup,
			"max_inflight": maxInflight, "span_s": float64(lastDone-firstStart) / 1e9, "tokens": tokens.Load(), "first": firstStart, "last": lastDone,
			"pick_n": len(pa), "pick_p50": q(pa, .5), "pick_p99": q(pa, .99), "pick_max": q(pa, 1)})
	})
	panic(http.ListenAndServe(*addr, mux))
}

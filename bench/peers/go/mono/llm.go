package mono

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// Job is what the peers read of a millrace envelope.
type Job struct {
	ID      string          `json:"id"`
	Session string          `json:"session"`
	Model   string          `json:"model"`
	Input   json.RawMessage `json:"input"`
}

// Env reads a setting that bench/run passes to every peer.
func Env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

var llmURL = Env("LLM_URL", "http://127.0.0.1:29080") + "/v1/chat/completions"

// HC keeps enough connections for 1,000 calls in flight.
var HC = &http.Client{Transport: &http.Transport{MaxIdleConns: 4000, MaxIdleConnsPerHost: 4000, IdleConnTimeout: time.Minute}}

// Call runs one job against the fake model and checks the answer.
func Call(raw []byte) error {
	var j Job
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	body, _ := json.Marshal(map[string]any{"model": j.Model, "messages": j.Input})
	rq, _ := http.NewRequest("POST", llmURL, bytes.NewReader(body))
	rq.Header.Set("Content-Type", "application/json")
	rs, err := HC.Do(rq)
	if err != nil {
		return err
	}
	defer rs.Body.Close()
	b, err := io.ReadAll(rs.Body)
	if err != nil || rs.StatusCode != 200 {
		return fmt.Errorf("llm %d %v", rs.StatusCode, err)
	}
	var out struct {
		Choices []struct{ Message struct{ Content string } }
	}
	return json.Unmarshal(b, &out)
}

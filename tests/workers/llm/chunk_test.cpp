#include "workers/llm/chunk.h"

#include <gtest/gtest.h>

#include "workers/llm/utf8_joiner.h"

namespace millrace {
namespace {

TEST(ChunkReader, ReadsWhatServersSend) {
  ChunkReader reader;
  ChatChunk chunk;
  ASSERT_TRUE(reader.read(
      R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":null,)"
      R"("choices":[{"index":0,"delta":{"role":"assistant","content":"a\"\u00e9\n"},"logprobs":null,)"
      R"("finish_reason":"stop"}],"usage":{"total_tokens":5} ,"error":null})",
      chunk));
  EXPECT_EQ(chunk.text, "a\"\xc3\xa9\n");
  EXPECT_EQ(chunk.finish_reason, "stop");
  EXPECT_EQ(chunk.model, "m");
  EXPECT_EQ(chunk.usage, R"({"total_tokens":5})");
  EXPECT_TRUE(chunk.error.empty());
}

TEST(ChunkReader, NothingSaidIsNoText) {
  ChunkReader reader;
  ChatChunk chunk;
  for (const char* json :
       {R"({"choices":[]})", R"({"choices":null})", R"({"choices":[{"delta":{"content":null}}]})",
        R"({"choices":[{"delta":null}]})", R"({"choices":[{"delta":{"tool_calls":[{"x":1}]}}]})",
        "{}"}) {
    EXPECT_TRUE(reader.read(json, chunk)) << json;
    EXPECT_TRUE(chunk.text.empty()) << json;
  }
}

TEST(ChunkReader, ReadsPiecesOfToolCalls) {
  ChunkReader reader;
  ChatChunk chunk;
  ASSERT_TRUE(reader.read(
      R"({"choices":[{"delta":{"content":null,"tool_calls":[)"
      R"({"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}},)"
      R"({"index":1,"function":{"arguments":"{\"a\":\"\u00e9"}},{"id":null,"function":null}]}}]})",
      chunk));
  ASSERT_EQ(chunk.tools.size(), 3u);
  EXPECT_EQ(chunk.tools[0].index, 0u);
  EXPECT_EQ(chunk.tools[0].call_id, "call_1");
  EXPECT_EQ(chunk.tools[0].name, "f");
  EXPECT_EQ(chunk.tools[1].index, 1u);
  EXPECT_EQ(chunk.tools[1].arguments, "{\"a\":\"é");
  EXPECT_EQ(chunk.tools[2].index, std::nullopt);
  ASSERT_TRUE(reader.read(R"({"choices":[{"delta":{"content":"a","tool_calls":null}}]})", chunk));
  EXPECT_TRUE(chunk.tools.empty());
}

TEST(ChunkReader, RefusesWhatIsNoToolCall) {
  ChunkReader reader;
  ChatChunk chunk;
  for (const char* tools : {"7", "[7]", R"([{"index":-1}])", R"([{"function":{"arguments":{}}}])"})
    EXPECT_FALSE(
        reader.read(R"({"choices":[{"delta":{"tool_calls":)" + std::string(tools) + "}}]}", chunk))
        << tools;
  EXPECT_FALSE(reader.read(
      "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"\xe2\x82\"}}]}}]}",
      chunk));
}

TEST(ChunkReader, RefusesWhatIsNoChunk) {
  ChunkReader reader;
  ChatChunk chunk;
  for (const char* json : {"", "nonsense", "[1]", "{", R"({"choices":7})",
                           R"({"choices":[{"delta":{"content":7}}]})", R"({"choices":["x"]})"})
    EXPECT_FALSE(reader.read(json, chunk)) << json;
}

TEST(ChunkReader, ReadsOneAfterAnotherWithoutATraceOfTheFirst) {
  ChunkReader reader;
  ChatChunk chunk;
  ASSERT_TRUE(reader.read(R"({"model":"m","choices":[{"delta":{"content":"a"}}]})", chunk));
  ASSERT_TRUE(reader.read(R"({"choices":[]})", chunk));
  EXPECT_TRUE(chunk.model.empty());
  EXPECT_TRUE(chunk.text.empty());
}

TEST(ChunkReader, CarriesHalfACharacterThrough) {
  ChunkReader reader;
  ChatChunk chunk;
  ASSERT_TRUE(
      reader.read("{\"choices\":[{\"delta\":{\"content\":\"\xc3\xa9\\u00e9\xe2\x82\"}}]}", chunk));
  EXPECT_TRUE(chunk.raw_text);
  EXPECT_EQ(chunk.text, "\xc3\xa9\xc3\xa9\xe2\x82");
}

TEST(UpstreamError, IsFoundInTheFormsServersUse) {
  EXPECT_EQ(read_upstream_error(R"({"error":{"message":"m","code":429}})").status, 429);
  EXPECT_EQ(read_upstream_error(R"({"error":{"message":"m"}})").message, "m");
  EXPECT_EQ(read_upstream_error(R"({"error":"m"})").message, "m");
  EXPECT_EQ(read_upstream_error(R"({"message":"m"})").message, "m");
  EXPECT_EQ(read_upstream_error(R"({"detail":"m"})").message, "m");
  EXPECT_EQ(read_upstream_error("plain\nwords\xff").message, "plain words?");
}

TEST(Utf8Joiner, JoinsACharacterCutAnywhere) {
  const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      Utf8Joiner joiner;
      std::string all;
      for (const auto& piece :
           {text.substr(0, first), text.substr(first, second - first), text.substr(second)}) {
        const auto joined = joiner.join(piece);
        ASSERT_TRUE(joined.ok);
        all += joined.text;
      }
      EXPECT_EQ(all, text);
      EXPECT_FALSE(joiner.holds());
    }
  }
}

TEST(Utf8Joiner, SaysWhenBytesCanNeverBecomeText) {
  for (const char* bytes : {"\xff", "\xc3(", "\xc0\xaf", "\x80", "\xed\xa0\x80"}) {
    Utf8Joiner joiner;
    EXPECT_FALSE(joiner.join(bytes).ok);
  }
}

}  // namespace
}  // namespace millrace

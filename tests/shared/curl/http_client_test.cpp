#include "shared/curl/http_client.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/shared/curl/scripted_server.h"

namespace millrace {
namespace {

struct Taker final : ResponseTaker {
  Flow on_body(int status, std::string_view bytes) noexcept override {
    last_status = status;
    body += bytes;
    return next;
  }
  void on_end(int status, HttpEnd how) noexcept override {
    last_status = status;
    end = std::move(how);
  }
  int last_status = 0;
  std::string body;
  Flow next = Flow::more;
  std::optional<HttpEnd> end;
};

struct Http : ::testing::Test {
  asio::io_context loop{1};
  LoopClock clock{loop};
  std::unique_ptr<ScriptedServer> server = std::make_unique<ScriptedServer>(clock);
  HeaderLines headers{{"Content-Type: text/plain", "Expect:"}};
  std::unique_ptr<HttpClient> client = std::make_unique<HttpClient>(
      clock, HttpClientSettings{.connect_timeout = 1s, .connections_kept = 300});

  template <class Condition>
  bool run_until(Condition holds) {
    const Instant end = clock.now() + 10s;
    while (clock.now() < end && !holds()) {
      loop.restart();
      loop.run_one_for(20ms);
    }
    return holds();
  }
  Task<> close_server(bool& closed) {
    co_await server->close();
    closed = true;
  }
  void TearDown() override {
    bool closed = false;
    Nursery closing(clock);
    closing.start(close_server(closed));
    EXPECT_TRUE(run_until([&] { return closed && closing.size() == 0; }));
    client.reset();
  }
  HttpPost post(std::string body = "ping") {
    return {.url = server->url() + "/x",
            .headers = headers,
            .own_headers = {"X-Own: 1", "X-Other: 2"},
            .body = body};
  }
  void answer(const std::string& body, bool keep_alive = true) {
    Script& script = server->scripts.emplace_back();
    script.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body);
    script.keep_alive = keep_alive;
  }
};

TEST_F(Http, SendsWhatItWasGivenAndTakesWhatComes) {
  answer("pong");
  Taker taker;
  HttpExchange exchange(*client, post(), taker);
  ASSERT_TRUE(run_until([&] { return exchange.over(); }));
  EXPECT_EQ(taker.end->how, HttpHow::complete);
  EXPECT_EQ(taker.last_status, 200);
  EXPECT_EQ(taker.body, "pong");
  const std::string& request = server->requests.at(0);
  EXPECT_TRUE(request.starts_with("POST /x HTTP/1.1\r\n"));
  EXPECT_NE(request.find("X-Own: 1\r\n"), std::string::npos);
  EXPECT_NE(request.find("X-Other: 2\r\n"), std::string::npos);
  EXPECT_NE(request.find("Content-Type: text/plain\r\n"), std::string::npos);
  EXPECT_TRUE(request.ends_with("\r\n\r\nping"));
}

TEST_F(Http, TheTakerHearsNothingBeforeTheExchangeStands) {
  answer("pong");
  Taker taker;
  HttpExchange exchange(*client, post(), taker);
  EXPECT_FALSE(exchange.over());
  EXPECT_TRUE(taker.body.empty());
}

TEST_F(Http, ManyExchangesGoOnAtOnceAndTheirConnectionsAreUsedAgain) {
  constexpr std::size_t many = 200;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < many; ++i) answer("pong");
    std::vector<std::unique_ptr<Taker>> takers;
    std::vector<std::unique_ptr<HttpExchange>> exchanges;
    for (std::size_t i = 0; i < many; ++i) {
      takers.push_back(std::make_unique<Taker>());
      exchanges.push_back(std::make_unique<HttpExchange>(*client, post(), *takers.back()));
    }
    ASSERT_TRUE(run_until([&] {
      return std::ranges::all_of(exchanges, [](const auto& each) { return each->over(); });
    }));
    for (const auto& taker : takers) EXPECT_EQ(taker->body, "pong");
  }
  EXPECT_EQ(server->requests.size(), 3 * many);
  EXPECT_LE(server->connections, static_cast<int>(many));
}

TEST_F(Http, AnExchangeThatIsDroppedClosesItsConnection) {
  server->scripts.emplace_back().send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npo").hang();
  Taker taker;
  auto exchange = std::make_unique<HttpExchange>(*client, post(), taker);
  ASSERT_TRUE(run_until([&] { return taker.body == "po"; }));
  exchange.reset();
  EXPECT_TRUE(run_until([&] { return server->closed_by_client == 1; }));
  EXPECT_FALSE(taker.end);
}

TEST_F(Http, ATakerThatHasEnoughClosesTheConnection) {
  server->scripts.emplace_back().send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npo").hang();
  Taker taker;
  taker.next = Flow::stop;
  HttpExchange exchange(*client, post(), taker);
  ASSERT_TRUE(run_until([&] { return exchange.over(); }));
  EXPECT_EQ(taker.end->how, HttpHow::stopped);
  EXPECT_TRUE(run_until([&] { return server->closed_by_client == 1; }));
}

TEST_F(Http, APausedExchangeTakesNothingUntilItResumes) {
  server->scripts.emplace_back()
      .send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npo")
      .wait(10ms)
      .send("ng");
  Taker taker;
  taker.next = Flow::pause;
  HttpExchange exchange(*client, post(), taker);
  ASSERT_TRUE(run_until([&] { return taker.body == "po"; }));
  loop.restart();
  loop.run_for(50ms);
  EXPECT_EQ(taker.body, "po");
  taker.next = Flow::more;
  exchange.resume();
  ASSERT_TRUE(run_until([&] { return exchange.over(); }));
  EXPECT_EQ(taker.body, "pong");
  EXPECT_EQ(taker.end->how, HttpHow::complete);
}

TEST_F(Http, SaysHowAConnectionFailed) {
  server->scripts.emplace_back().send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npo");
  Taker cut;
  HttpExchange half(*client, post(), cut);
  Taker nonsense;
  HttpExchange ftp(*client,
                   {.url = "ftp://127.0.0.1/", .headers = headers, .own_headers = {}, .body = {}},
                   nonsense);
  ASSERT_TRUE(run_until([&] { return half.over() && ftp.over(); }));
  EXPECT_EQ(cut.end->how, HttpHow::cut);
  EXPECT_FALSE(cut.end->detail.empty());
  EXPECT_NE(nonsense.end->how, HttpHow::complete);
}

TEST_F(Http, AClientMayGoWhileItsSocketsAndTimersWereUnderWay) {
  server->scripts.emplace_back().hang();
  Taker taker;
  auto exchange = std::make_unique<HttpExchange>(*client, post(), taker);
  ASSERT_TRUE(run_until([&] { return server->requests.size() == 1; }));
  exchange.reset();
  client.reset();
  loop.restart();
  loop.run_for(20ms);
}

TEST_F(Http, ConnectsOnlyWhereItMayAndAsksAboutTheAddressThatIsConnectedTo) {
  std::vector<IpAddress> asked;
  bool allowed = false;
  HttpClient guarded(
      clock,
      {.connect_timeout = 1s, .connections_kept = 1, .may_connect = [&](const IpAddress& address) {
         asked.push_back(address);
         return allowed;
       }});
  const std::string port = server->url().substr(server->url().rfind(':'));
  for (const char* host : {"http://127.0.0.1", "http://2130706433", "http://0x7f.1"}) {
    auto to = post();
    to.url = host + port + "/x";
    Taker taker;
    HttpExchange exchange(guarded, to, taker);
    ASSERT_TRUE(run_until([&] { return exchange.over(); }));
    EXPECT_EQ(taker.end->how, HttpHow::forbidden) << host;
    EXPECT_EQ(asked.back(), IpAddress::parse("127.0.0.1")) << host;
  }
  EXPECT_EQ(server->connections, 0);
  allowed = true;
  answer("pong");
  Taker taker;
  HttpExchange exchange(guarded, post(), taker);
  ASSERT_TRUE(run_until([&] { return exchange.over(); }));
  EXPECT_EQ(taker.body, "pong");
}

TEST_F(Http, AHostWithSeveralAddressesIsAskedAtTheOneThatIsAllowed) {
  // As a name that is rebound: both answers are judged when they are connected to, none before.
  HttpClient guarded(
      clock,
      {.connect_timeout = 1s, .connections_kept = 1, .may_connect = [](const IpAddress& address) {
         return address == IpAddress::parse("127.0.0.1");
       }});
  answer("pong");
  auto to = post();
  to.url = "http://localhost" + server->url().substr(server->url().rfind(':')) + "/x";
  Taker taker;
  HttpExchange exchange(guarded, to, taker);
  ASSERT_TRUE(run_until([&] { return exchange.over(); }));
  EXPECT_EQ(taker.body, "pong");
}

TEST_F(Http, ARedirectIsAnAnswerAndIsNotFollowed) {
  server->scripts.emplace_back().send("HTTP/1.1 307 Temporary Redirect\r\nLocation: " +
                                      server->url() + "/y\r\nContent-Length: 0\r\n\r\n");
  Taker taker;
  HttpExchange exchange(*client, post(), taker);
  ASSERT_TRUE(run_until([&] { return exchange.over(); }));
  EXPECT_EQ(taker.last_status, 307);
  EXPECT_EQ(server->requests.size(), 1u);
}

}  // namespace
}  // namespace millrace

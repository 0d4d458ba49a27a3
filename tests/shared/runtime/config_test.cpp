#include "shared/runtime/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

#include "shared/runtime/config_file.h"
#include "shared/runtime/config_value.h"
#include "shared/runtime/json_text.h"
#include "shared/runtime/nearest_word.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

/// Every test works in an empty folder and in an environment without settings.
class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "millrace-config-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    before_ = fs::current_path();
    fs::current_path(folder_);
    for (const auto& line : load_config({}).lines) clear(line.env);
  }
  void TearDown() override {
    for (const auto& name : set_) unsetenv(name.c_str());
    fs::current_path(before_);
    fs::remove_all(folder_);
  }

  void clear(const std::string& name) { unsetenv(name.c_str()); }
  void set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }
  std::string write(const std::string& name, const std::string& text) {
    const fs::path file = folder_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file.string();
  }

  static std::string refusal(const std::vector<std::string>& flags) {
    try {
      load_config(flags);
      return "";
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  }
  static ConfigLine line(const LoadedConfig& loaded, const std::string& key) {
    for (const auto& line : loaded.lines) {
      if (line.key == key) return line;
    }
    ADD_FAILURE() << "no line " << key;
    return {};
  }
  static bool says(const std::string& text, const std::vector<std::string>& parts) {
    for (const auto& part : parts) {
      if (text.find(part) == text.npos) {
        ADD_FAILURE() << "\"" << text << "\" does not say \"" << part << "\"";
        return false;
      }
    }
    return true;
  }

  fs::path folder_, before_;
  std::vector<std::string> set_;
};

TEST_F(ConfigTest, without_anything_given_the_defaults_hold) {
  const auto loaded = load_config({});
  EXPECT_EQ(loaded.config.host, "127.0.0.1");
  EXPECT_EQ(loaded.config.port, 8080);
  EXPECT_EQ(loaded.config.drain_grace, 30s);
  EXPECT_EQ(loaded.config.database_url, "./millrace-data/millrace.db");
  EXPECT_TRUE(loaded.config.kafka_properties.empty());
  EXPECT_EQ(line(loaded, "port").value, "8080");
  EXPECT_EQ(line(loaded, "port").env, "PORT");
  EXPECT_EQ(line(loaded, "port").origin, "default");
}

TEST_F(ConfigTest, flag_wins_over_environment_over_dotenv_over_toml_over_default) {
  const std::string toml = write("m.toml", "port = 1\nmodel_id = \"toml\"\ngroup = \"toml\"\n");
  const auto in_force = [&](const std::vector<std::string>& flags) {
    return line(load_config(flags), "port");
  };
  EXPECT_EQ(in_force({"--config", toml}).value, "1");
  EXPECT_EQ(in_force({"--config", toml}).origin, toml + " line 1");
  write(".env", "PORT=2\nMODEL_ID=dotenv\n");
  EXPECT_EQ(in_force({"--config", toml}).value, "2");
  EXPECT_EQ(in_force({"--config", toml}).origin,
            ".env PORT (" + (fs::current_path() / ".env").string() + " line 1)");
  set("PORT", "3");
  EXPECT_EQ(in_force({"--config", toml}).value, "3");
  EXPECT_EQ(in_force({"--config", toml}).origin, "env PORT");
  EXPECT_EQ(in_force({"--config", toml, "--port=4"}).value, "4");
  EXPECT_EQ(in_force({"--config", toml, "--port", "4"}).origin, "flag --port");
  EXPECT_EQ(load_config({"--config", toml}).config.model_id, "dotenv");
  EXPECT_EQ(load_config({"--config", toml}).config.group, "toml");
}

TEST_F(ConfigTest, dotenv_is_found_from_the_working_folder_upwards) {
  write(".env", "MODEL_ID=above\n");
  fs::create_directories(folder_ / "a" / "b");
  fs::current_path(folder_ / "a" / "b");
  EXPECT_EQ(load_config({}).config.model_id, "above");
  write("a/.env", "PORT=9\n");
  EXPECT_EQ(load_config({}).config.model_id, "default") << "the nearest file alone counts";
}

TEST_F(ConfigTest, a_wrong_value_is_refused_with_setting_origin_value_and_what_is_allowed) {
  set("PORT", "70000");
  says(refusal({}), {"port", "env PORT", "\"70000\"", "from 0 to 65535"});
  says(refusal({"--port", "x"}), {"port", "flag --port", "\"x\""});
  says(refusal({"--port", "1", "--drain-grace", "-3s"}), {"drain_grace", "30s, 15min"});
  says(refusal({"--port", "1", "--llm-continue", "maybe"}), {"rewind, prefill"});
  says(refusal({"--port", "1", "--default-temperature", "2.5"}), {"from 0 to 2"});
}

TEST_F(ConfigTest, unknown_flags_and_toml_keys_are_refused_unknown_variables_are_not) {
  says(refusal({"--prot", "1"}), {"unknown flag --prot", "did you mean --port?"});
  says(refusal({"edge"}), {"unexpected argument edge"});
  says(refusal({"--port"}), {"--port needs a value", "from 0 to 65535"});
  says(refusal({"--config", write("m.toml", "prot = 1\n")}),
       {"m.toml line 1", "unknown key prot", "did you mean port?"});
  says(refusal({"--config", write("m.toml", "port = \n")}), {"m.toml line"});
  says(refusal({"--config", write("m.toml", "[port]\nx = 1\n")}), {"port must be"});
  says(refusal({"--config", "/nowhere.toml"}), {"/nowhere.toml"});
  set("MILLRACE_TEST_SOMETHING", "1");
  EXPECT_EQ(refusal({}), "");
}

TEST_F(ConfigTest, a_name_of_ours_in_dotenv_that_is_none_is_refused_a_near_one_is_doubted) {
  write(".env", "PORT=9\n\nMILLRACE_LOG_LEVL=debug\n");
  says(refusal({}), {".env line 3", "MILLRACE_LOG_LEVL", "did you mean MILLRACE_LOG_LEVEL?"});
  write(".env", "LLM_SERVER_URI=http://x\nCOMPOSE_PROJECT_NAME=y\nPOST=1\n");
  const auto loaded = load_config({});
  ASSERT_EQ(loaded.doubts.size(), 1u);
  says(loaded.doubts[0], {".env line 1: LLM_SERVER_URI is no setting", "LLM_SERVER_URL?"});
}

TEST_F(ConfigTest, a_setting_of_a_part_that_is_not_there_yet_is_known_and_told_as_such) {
  write(".env",
        "LAMBDA_T1_URL=https://a.example/t1\nUSE_MOCK=false\nAWS_SECRET_ACCESS_KEY=hush\n"
        "S3_BUCKET=b\nS3_ENDPOINT=http://u:hush@127.0.0.1:1\n");
  const auto loaded = load_config({});
  EXPECT_EQ(line(loaded, "lambda_t1_url").value, "https://a.example/t1");
  EXPECT_FALSE(line(loaded, "lambda_t1_url").used);
  EXPECT_EQ(line(loaded, "aws_secret_access_key").value, "****");
  EXPECT_EQ(line(loaded, "s3_endpoint").value, "http://u:****@127.0.0.1:1");
  EXPECT_TRUE(line(loaded, "port").used);
  set("USE_MOCK", "perhaps");
  says(refusal({}), {"use_mock", "env USE_MOCK", "true or false"});
}

TEST_F(ConfigTest, every_name_that_users_have_already_is_known) {
  std::set<std::string> known;
  for (const auto& setting : load_config({}).lines) known.insert(setting.env);
  for (const char* name : {"LLM_SERVER_URL",
                           "DATABASE_URL",
                           "MAX_CONTEXT_MESSAGES",
                           "DEFAULT_MAX_TOKENS",
                           "DEFAULT_TEMPERATURE",
                           "SESSION_TIMEOUT_HOURS",
                           "HOST",
                           "PORT",
                           "DEBUG",
                           "CORS_ORIGINS",
                           "MODEL_ID",
                           "USE_MOCK",
                           "LAMBDA_T0_URL",
                           "LAMBDA_T1_URL",
                           "LAMBDA_T2_URL",
                           "LAMBDA_T3_URL",
                           "LLM_API_KEY",
                           "AWS_ACCESS_KEY_ID",
                           "AWS_SECRET_ACCESS_KEY",
                           "AWS_SESSION_TOKEN",
                           "AWS_REGION",
                           "KAFKA_BROKERS",
                           "REDIS_URL",
                           "S3_ENDPOINT",
                           "S3_BUCKET",
                           "MILLRACE_DATA"})
    EXPECT_TRUE(known.contains(name)) << name;
  set("OPENROUTER_API_KEY", "k");
  EXPECT_EQ(load_config({}).config.llm_api_key, "k");
}

TEST_F(ConfigTest, an_empty_variable_is_as_good_as_unset_and_told) {
  for (const auto& setting : load_config({}).lines) {
    set(setting.env, "");
    const auto now = line(load_config({}), setting.key);
    EXPECT_EQ(now.value, setting.value);
    EXPECT_EQ(now.origin, "default, for env " + setting.env + " is empty");
  }
  write(".env", "PORT=9\n");
  EXPECT_EQ(line(load_config({}), "port").value, "9");
}

TEST_F(ConfigTest, an_empty_flag_or_key_is_refused_where_a_value_is_needed) {
  const std::set<std::string> may_be_empty{"cors_origins", "secret",        "llm_api_key",
                                           "api_key",      "features",      "model_prices",
                                           "url",          "webhook_allow", "no_color"};
  for (const auto& setting : load_config({}).lines) {
    if (may_be_empty.contains(setting.key)) continue;
    std::string flag = "--" + setting.key;
    std::ranges::replace(flag, '_', '-');
    says(refusal({flag + "="}), {setting.key, "flag " + flag, "\"\"", "allowed"});
  }
  says(refusal({"--config", write("m.toml", "data = \"\"\n")}), {"data", "m.toml", "allowed"});
}

TEST_F(ConfigTest, prices_are_a_table_of_the_file_or_a_list_of_the_environment) {
  const auto toml = write("m.toml",
                          "[model_prices]\n"
                          "gpt-4o = { prompt = 2.50, completion = 10 }\n"
                          "\"gpt-4o-2024*\" = { completion = 0.1, prompt = \"0.000001\" }\n");
  const auto from_file = load_config({"--config", toml});
  EXPECT_EQ(line(from_file, "model_prices").value, "gpt-4o=2.5/10, gpt-4o-2024*=0.000001/0.1");
  EXPECT_EQ(from_file.config.model_prices.cost("gpt-4o", 4, 1), "0.00002");
  set("MODEL_PRICES", "m=1/2");
  EXPECT_EQ(line(load_config({"--config", toml}), "model_prices").value, "m=1/2")
      << "a list is whole, not added to another";
  set("MODEL_PRICES", "m=1");
  says(refusal({}), {"model_prices", "env MODEL_PRICES", "\"m=1\"", "model=prompt/completion"});
}

TEST_F(ConfigTest, prices_that_are_no_prices_are_refused_with_an_example) {
  for (const auto* wrong :
       {"m = 1", "m = [1, 2]", "m = { prompt = 1 }", "m = { prompt = 1, x = 2 }",
        "m = { prompt = 1, completion = 2, x = 3 }"})
    says(refusal({"--config", write("m.toml", std::string("[model_prices]\n") + wrong + "\n")}),
         {"m.toml line 1", "model_prices", "{ prompt = 2.50, completion = 10 }"});
  says(refusal({"--config", write("m.toml", "model_prices.m = { prompt = -1, completion = 2 }\n")}),
       {"m.toml", "model_prices", "m=-1/2", "from 0 to 1000000"});
}

TEST_F(ConfigTest, kafka_variables_become_librdkafka_properties) {
  set("KAFKA_BROKERS", "a:1,b:2");
  set("KAFKA_SECURITY_PROTOCOL", "SASL_SSL");
  set("KAFKA_SASL_PASSWORD", "hush");
  const auto loaded =
      load_config({"--config", write("m.toml", "kafka_sasl_mechanism = \"PLAIN\"\n"),
                   "--kafka-client-id", "me"});
  EXPECT_EQ(loaded.config.kafka_brokers, "a:1,b:2");
  EXPECT_EQ(loaded.config.kafka_properties,
            (std::map<std::string, std::string>{{"security.protocol", "SASL_SSL"},
                                                {"sasl.password", "hush"},
                                                {"sasl.mechanism", "PLAIN"},
                                                {"client.id", "me"}}));
  EXPECT_EQ(line(loaded, "kafka_sasl_password").value, "****");
  EXPECT_EQ(line(loaded, "kafka_security_protocol").env, "KAFKA_SECURITY_PROTOCOL");
}

TEST_F(ConfigTest, secrets_are_masked_in_what_is_shown_and_in_errors) {
  set("MILLRACE_SECRET", "hush");
  set("OPENROUTER_API_KEY", "hush");
  set("REDIS_URL", "redis://me:hush@cache:6379/2");
  const auto loaded = load_config({});
  EXPECT_EQ(loaded.config.secret, "hush");
  EXPECT_EQ(loaded.config.llm_api_key, "hush");
  for (const auto& shown : loaded.lines) EXPECT_EQ(shown.value.find("hush"), std::string::npos);
  EXPECT_EQ(line(loaded, "redis_url").value, "redis://me:****@cache:6379/2");
  set("REDIS_URL", "rediss://me:hush@cache:6379/2");
  says(refusal({}), {"redis_url", "stunnel"});
  EXPECT_EQ(refusal({}).find("hush"), std::string::npos);
}

TEST_F(ConfigTest, the_model_server_may_be_named_with_or_without_v1) {
  for (const auto given :
       {"http://m:1", "http://m:1/", "http://m:1/v1", "http://m:1/v1/", "http://m:1//v1"}) {
    EXPECT_EQ(load_config({"--llm-server-url", given}).config.llm_server_url, "http://m:1");
  }
  says(refusal({"--llm-server-url", "m:1"}), {"llm_server_url", "http(s)://"});
}

TEST_F(ConfigTest, the_database_is_a_path_however_it_is_written) {
  const auto path = [](const std::string& given) {
    return load_config({"--database-url", given}).config.database_url;
  };
  EXPECT_EQ(path("chatbot.db"), "chatbot.db");
  EXPECT_EQ(path("sqlite:chatbot.db"), "chatbot.db");
  EXPECT_EQ(path("sqlite:///./chatbot.db"), "./chatbot.db");
  EXPECT_EQ(path("sqlite:////var/chatbot.db"), "/var/chatbot.db");
  says(refusal({"--database-url", "mysql://u:hush@h/db"}), {"database_url", "postgres://"});
  EXPECT_EQ(refusal({"--database-url", "mysql://u:hush@h/db"}).find("hush"), std::string::npos);
  EXPECT_EQ(load_config({"--data", "d"}).config.database_url, "d/millrace.db");
}

TEST_F(ConfigTest, a_postgres_is_named_as_it_is_and_shown_without_its_password) {
  for (const std::string given : {"postgres://u:hush@h:5433/db?sslmode=require",
                                  "postgresql://h/db?user=u&password=hush&sslmode=require"}) {
    const auto loaded = load_config({"--database-url", given});
    EXPECT_EQ(loaded.config.database_url, given);
    const auto shown = line(loaded, "database_url").value;
    EXPECT_EQ(shown.find("hush"), std::string::npos) << shown;
    EXPECT_NE(shown.find("sslmode=require"), std::string::npos) << shown;
  }
  says(refusal({"--database-url", "postgres://"}), {"database_url"});
}

TEST_F(ConfigTest, a_host_is_an_address_of_this_machine) {
  EXPECT_EQ(refusal({"--host", "0.0.0.0"}), "") << "the edge asks for keys";
  says(refusal({"--host", "127.example.org"}), {"host"});
  EXPECT_EQ(refusal({"--host", "localhost"}), "");
  EXPECT_EQ(refusal({"--host", "::1"}), "");
}

TEST_F(ConfigTest, what_is_no_address_is_called_that) {
  says(refusal({"--host", "999.1.1.1"}), {"host", "999.1.1.1", "IPv4 or IPv6"});
  EXPECT_EQ(load_config({"--host", "[::1]"}).config.host, "::1");
}

TEST_F(ConfigTest, origins_are_a_star_or_urls_without_a_path) {
  for (const auto* right : {"*", "https://a.example", "http://a.example:8080, https://b.example"})
    EXPECT_EQ(refusal({"--cors-origins", right}), "") << right;
  for (const auto* wrong : {"foo bar", "a.example", "ftp://a.example"})
    says(refusal({"--cors-origins", wrong}), {"cors_origins", wrong, "https://"});
}

TEST_F(ConfigTest, allowed_hosts_are_a_star_or_names_without_a_port) {
  for (const auto* right : {"*", "jobs.example.com", "a.example, edge"})
    EXPECT_EQ(refusal({"--allowed-hosts", right}), "") << right;
  for (const auto* wrong : {"https://a.example", "a.example:80", "a,,b", "*.example", "a b"})
    says(refusal({"--allowed-hosts", wrong}), {"allowed_hosts", wrong, "without a port"});
}

TEST_F(ConfigTest, trusted_proxies_are_addresses_and_ranges) {
  for (const auto* right : {"10.0.0.1", "10.0.0.0/8, fd00::/8"})
    EXPECT_EQ(refusal({"--trusted-proxies", right}), "") << right;
  for (const auto* wrong : {"proxy.example", "10.0.0.0/33", "10.0.0.1,", "*"})
    says(refusal({"--trusted-proxies", wrong}), {"trusted_proxies", wrong, "10.0.0.0/8"});
}

TEST_F(ConfigTest, a_missing_file_is_called_that) {
  says(refusal({"--config", "none.toml"}), {"none.toml", "no such file"});
}

TEST_F(ConfigTest, debug_is_a_word_for_the_log_level) {
  EXPECT_EQ(load_config({"--debug"}).config.log_level, "debug");
  set("DEBUG", "true");
  EXPECT_EQ(load_config({}).config.log_level, "debug");
  EXPECT_EQ(load_config({"--log-level", "warn"}).config.log_level, "warn");
}

TEST(ConfigValue, durations_are_a_number_and_a_unit) {
  EXPECT_EQ(config_value::duration("30s"), 30s);
  EXPECT_EQ(config_value::duration("500ms"), 500ms);
  EXPECT_EQ(config_value::duration("15min"), 15min);
  EXPECT_EQ(config_value::duration("1.5h"), 90min);
  EXPECT_EQ(config_value::duration("7d"), 7 * 24h);
  EXPECT_EQ(config_value::duration("30"), 30s);
  for (const auto wrong : {"", "s", "30 s", "-1s", "1.2.3s", "30m", "1e9", "99999999d", "nan"}) {
    EXPECT_EQ(config_value::duration(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(config_value::to_text(90s), "90s");
  EXPECT_EQ(config_value::to_text(24h), "24h");
  EXPECT_EQ(config_value::to_text(1500ms), "1500ms");
}

TEST(ConfigValue, addresses_are_checked_before_anybody_dials_them) {
  for (const auto right : {"a", "a:1", "a:1,b:2", "[::1]:9092", "10.0.0.1:9092,b"}) {
    EXPECT_TRUE(config_value::broker_list(right)) << right;
  }
  for (const auto wrong : {"", ",", "a:", "a:0", "a:70000", "a:1,", "http://a:1", "a b:1"}) {
    EXPECT_FALSE(config_value::broker_list(wrong)) << wrong;
  }
  for (const auto right : {"redis://h", "redis://h:1", "redis://h:1/2", "redis://:p@h:1/2",
                           "redis://u:p@h", "redis://[::1]:6379"}) {
    EXPECT_TRUE(config_value::redis_url(right)) << right;
  }
  for (const auto wrong : {"h:1", "redis://", "redis://h:1/x", "redis://h:x", "rediss://h:1"}) {
    EXPECT_FALSE(config_value::redis_url(wrong)) << wrong;
  }
}

TEST(ConfigFile, dotenv_knows_comments_quotes_and_export) {
  const auto read = config_file::parse_dotenv(
      "# comment\n\nA=1\nexport B = two words \nC=\"a # b\" # c\nD='x=\"y\"'\nE=p#w # c\r\nF=\n");
  EXPECT_TRUE(read.unread.empty());
  EXPECT_EQ(read.settings, (config_file::Settings{{"A", {"1", 3}},
                                                  {"B", {"two words", 4}},
                                                  {"C", {"a # b", 5}},
                                                  {"D", {"x=\"y\"", 6}},
                                                  {"E", {"p#w", 7}},
                                                  {"F", {"", 8}}}));
}

TEST(ConfigFile, dotenv_of_windows_and_of_python_reads_as_it_does_there) {
  const auto read = config_file::parse_dotenv(
      "\xEF\xBB\xBF"
      R"(A="two\nlines \"quoted\" \\ \d" # c)"
      "\r\n"
      R"(B='it\'s \n')"
      "\r\n"
      "C=#nothing\r\n"
      "export\tD =\t1\t# c\r\n"
      "E=\"\"\r\n"
      "A2=\xED\x95\x98\xEB\x8A\x98\r\n"
      "D=2");
  EXPECT_TRUE(read.unread.empty());
  EXPECT_EQ(read.settings, (config_file::Settings{{"A", {"two\nlines \"quoted\" \\ \\d", 1}},
                                                  {"B", {"it's \\n", 2}},
                                                  {"C", {"", 3}},
                                                  {"D", {"2", 7}},
                                                  {"E", {"", 5}},
                                                  {"A2", {"하늘", 6}}}));
}

TEST(ConfigFile, a_value_in_quotes_goes_on_over_line_ends) {
  const auto read = config_file::parse_dotenv(
      "A=1\nKEY=\"-----BEGIN KEY-----\r\nMIIB=\n# no comment \\\" \n-----END KEY-----\" # "
      "c\r\nB='x\n"
      "y'\nC=2");
  EXPECT_TRUE(read.unread.empty());
  EXPECT_EQ(read.settings,
            (config_file::Settings{
                {"A", {"1", 1}},
                {"KEY", {"-----BEGIN KEY-----\nMIIB=\n# no comment \" \n-----END KEY-----", 2}},
                {"B", {"x\ny", 6}},
                {"C", {"2", 8}}}));
}

TEST(ConfigFile, a_broken_dotenv_line_is_named_but_not_shown_and_the_others_are_read) {
  using Unread = std::vector<config_file::Unread>;
  const auto read = config_file::parse_dotenv("A=1\nhush hush\nB B=1\n\nC=3\nhush");
  EXPECT_EQ(read.unread,
            (Unread{{2, 3, "", "expected NAME=value"}, {6, 6, "", "expected NAME=value"}}));
  EXPECT_EQ(read.settings, (config_file::Settings{{"A", {"1", 1}}, {"C", {"3", 5}}}));
  for (const char* unclosed : {"A=\"hush", "A='hush\nB='x'", "A=\"a\" hush", "A=\"hush\\\""}) {
    const auto told = config_file::parse_dotenv(unclosed).unread;
    ASSERT_EQ(told.size(), 1U) << unclosed;
    EXPECT_EQ(told.front().name, "A");
    EXPECT_EQ(told.front().first, 1U);
    EXPECT_TRUE(told.front().why.starts_with("the quotes around the value of A must close"));
    EXPECT_EQ(told.front().why.find("hush"), std::string::npos);
  }
  EXPECT_EQ(config_file::parse_dotenv("A='hush\nB='x'").settings.at("B").text, "x");
}

TEST_F(ConfigTest, what_others_write_into_dotenv_stops_no_start_and_is_told) {
  const auto file = write(".env", "KEY=\"a\nPORT=1\nb\"\nPORT=9\nTHEIRS='half\n}\n{\nMODEL_ID=m\n");
  const auto loaded = load_config({});
  EXPECT_EQ(line(loaded, "port").value, "9");
  EXPECT_EQ(line(loaded, "model_id").origin, ".env MODEL_ID (" + file + " line 8)");
  ASSERT_EQ(loaded.doubts.size(), 2U);
  says(loaded.doubts.front(), {file, "line 5", "THEIRS"});
  says(loaded.doubts.back(), {file, "lines 6 to 7", "NAME=value"});
  for (const std::string name : {"MODEL_ID", "MILLRACE_NONE", "KAFKA_SASL_PASSWORD"}) {
    write(".env", "PORT=9\n" + name + "='half");
    says(refusal({}), {".env line 2", name, "must close"});
  }
}

TEST_F(ConfigTest, a_dotenv_that_is_no_file_is_passed_by_and_told) {
  write(".env", "PORT=9\n");
  fs::create_directories(folder_ / "a" / ".env");
  fs::create_directories(folder_ / "a" / "b");
  fs::create_symlink("nowhere", folder_ / "a" / "b" / ".env");
  fs::current_path(folder_ / "a" / "b");
  const auto loaded = load_config({});
  EXPECT_EQ(line(loaded, "port").value, "9");
  ASSERT_EQ(loaded.doubts.size(), 2U);
  says(loaded.doubts.front(), {"a/b/.env is not read", "link to nothing"});
  says(loaded.doubts.back(), {"a/.env is not read", "folder"});
}

TEST_F(ConfigTest, a_dotenv_that_cannot_be_read_stops_the_start) {
  // Root may read everything but this.
  fs::create_symlink("/proc/self/mem", ".env");
  says(refusal({}), {".env cannot be read: Input/output error"});
}

TEST_F(ConfigTest, no_setting_holds_bad_text_and_where_it_came_from_is_told) {
  set("MODEL_ID", "m\xFF");
  says(refusal({}), {"model_id", "env MODEL_ID", "UTF-8"});
  EXPECT_TRUE(valid_utf8(refusal({})));
  set("MODEL_ID", "m\n");
  says(refusal({}), {"model_id", "env MODEL_ID", "line end"});
  clear("MODEL_ID");
  says(refusal({"--secret", "a\x1b[31m"}), {"secret", "flag --secret", "control character"});
  write(".env", "MILLRACE_DATA='a\nb'\n");
  says(refusal({}), {"data", ".env line 1", "line end"});
  write(".env", "LLM_PREFILL_BODY='{\n\t\"a\": 1\n}'\nKAFKA_SSL_KEY_PEM=\"a\nb\"\n");
  const auto loaded = load_config({});
  EXPECT_EQ(loaded.config.llm_prefill_body, "{\n\t\"a\": 1\n}");
  EXPECT_EQ(loaded.config.kafka_properties.at("ssl.key.pem"), "a\nb");
  says(refusal({"--kafka-client-id", "a\x01"}), {"kafka_client_id", "control character"});
}

TEST_F(ConfigTest, the_models_key_has_three_names_and_the_own_one_wins) {
  set("OPENROUTER_API_KEY", "third");
  EXPECT_EQ(load_config({}).config.llm_api_key, "third");
  set("OPENAI_API_KEY", "second");
  EXPECT_EQ(load_config({}).config.llm_api_key, "second");
  set("LLM_API_KEY", "first");
  EXPECT_EQ(load_config({}).config.llm_api_key, "first");
}

TEST_F(ConfigTest, the_edge_of_the_commands_is_a_url_or_a_host_with_a_port) {
  for (const auto* right :
       {"http://h", "https://u:p@h:8/x/", "localhost:8080", "[::1]:1/", "h:1/x"})
    EXPECT_EQ(refusal({"--url", right}), "") << right;
  for (const auto* wrong :
       {"nonsense", "ftp://x", "http://", "h:0", "h:x", "http://h:99999", "[::1]"})
    says(refusal({"--url", wrong}), {"url (flag --url)", wrong, "http(s)://host[:port]"});
}

TEST(NearestWord, IsTheOneWithTheFewestSlipsOrNone) {
  constexpr std::string_view known[] = {"port", "host", "group", "log_level", "model_id"};
  EXPECT_EQ(nearest_word("prot", known), "port");
  EXPECT_EQ(nearest_word("log_levl", known), "log_level");
  EXPECT_EQ(nearest_word("model", known), "");
  EXPECT_EQ(nearest_word("colour", known), "");
  EXPECT_EQ(nearest_word("", known), "");
  EXPECT_EQ(nearest_word(std::string(1000, 'a'), known), "");
}

}  // namespace
}  // namespace millrace

#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "shared/kafka/client_settings.h"
#include "shared/runtime/ids.h"

namespace millrace::kafka {

/// A test against the real thing, under topic names of its own.
class RealKafka : public testing::Test {
 protected:
  void SetUp() override {
    const char* const brokers = std::getenv("MILLRACE_TEST_KAFKA");
    if (!brokers) {
      GTEST_SKIP() << "set MILLRACE_TEST_KAFKA=HOST:PORT; ops/servers.py FOLDER starts one";
    }
    settings.brokers = brokers;
    SystemRandom random;
    prefix = "test-" + new_token(random).str().substr(0, 12);
  }

  ClientSettings settings;
  std::string prefix;
};

}  // namespace millrace::kafka

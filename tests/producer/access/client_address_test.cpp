#include "producer/access/client_address.h"

#include <gtest/gtest.h>

namespace millrace::access {
namespace {

std::string client(http::Headers headers, std::string peer = "10.0.0.1",
                   std::string_view trusted = "10.0.0.0/8, 2001:db8::/32") {
  http::Request request;
  request.peer = std::move(peer);
  request.headers = std::move(headers);
  return client_address(request, *parse_ip_ranges(trusted));
}

std::string listed(const char* addresses) {
  return client({{"x-forwarded-for", addresses}});
}

std::string forwarded(const char* elements) {
  return client({{"forwarded", elements}});
}

TEST(ClientAddress, IsThePeerWhereNoProxyIsTrustedOrThePeerIsNone) {
  EXPECT_EQ(client({{"x-forwarded-for", "192.0.2.9"}}, "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(client({{"x-forwarded-for", "192.0.2.9"}}, "10.0.0.1", ""), "10.0.0.1");
  EXPECT_EQ(client({}), "10.0.0.1");
}

TEST(ClientAddress, IsTheLastThatNoTrustedProxyHas) {
  EXPECT_EQ(listed("192.0.2.9"), "192.0.2.9");
  EXPECT_EQ(listed("198.51.100.7, 192.0.2.9"), "192.0.2.9") << "the first is the client's own";
  EXPECT_EQ(listed("198.51.100.7,192.0.2.9 , 10.0.0.2"), "192.0.2.9");
  EXPECT_EQ(client({{"x-forwarded-for", "198.51.100.7"},
                    {"x-forwarded-for", "192.0.2.9"},
                    {"x-forwarded-for", "10.0.0.2"}}),
            "192.0.2.9")
      << "a header that comes again goes on with the list";
  EXPECT_EQ(listed("10.0.0.3, 10.0.0.2"), "10.0.0.3") << "a client within";
}

TEST(ClientAddress, IsReadFromForwardedToo) {
  EXPECT_EQ(forwarded("for=192.0.2.9;proto=https;by=10.0.0.1"), "192.0.2.9");
  EXPECT_EQ(forwarded("For=198.51.100.7, proto=http; for=\"192.0.2.9:4711\""), "192.0.2.9");
  EXPECT_EQ(forwarded("for=\"[2001:db9::1]:80\", for=\"[2001:db8::7]\""), "2001:db9::1");
}

TEST(ClientAddress, AnAddressMayHaveAPort) {
  EXPECT_EQ(listed("192.0.2.9:1234"), "192.0.2.9");
  EXPECT_EQ(listed("[2001:db9::1]:80"), "2001:db9::1");
  EXPECT_EQ(listed("2001:db9::1"), "2001:db9::1");
}

TEST(ClientAddress, WhatIsNoAddressLeavesThePeer) {
  for (const char* odd : {"", ",", "unknown", "192.0.2.9, _hidden", "999.1.1.1", "[", "a:b"})
    EXPECT_EQ(listed(odd), "10.0.0.1") << odd;
  for (const char* odd : {"for=unknown", "proto=https", "for", "for=\"", "for=192.0.2.9, by=x"})
    EXPECT_EQ(forwarded(odd), "10.0.0.1") << odd;
}

TEST(ClientAddress, TwoHeadersThatDoNotAgreeLeaveThePeerForOneIsTheClientsOwn) {
  EXPECT_EQ(client({{"x-forwarded-for", "192.0.2.9"}, {"forwarded", "for=192.0.2.9"}}),
            "192.0.2.9");
  EXPECT_EQ(client({{"x-forwarded-for", "192.0.2.9"}, {"forwarded", "for=198.51.100.7"}}),
            "10.0.0.1");
}

}  // namespace
}  // namespace millrace::access

#include "shared/outbound/guard.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "shared/outbound/public_address.h"

namespace millrace::outbound {
namespace {

IpAddress address(std::string_view text) {
  const auto read = IpAddress::parse(text);
  EXPECT_TRUE(read) << text;
  return read.value_or(IpAddress{});
}

TEST(PublicAddress, NoAddressOfAnInnerNetworkIsPublicInAnyForm) {
  for (const char* text : {
           "0.0.0.0",
           "0.1.2.3",
           "10.0.0.1",
           "10.255.255.255",
           "100.64.0.1",
           "100.100.100.200",
           "100.127.255.255",
           "127.0.0.1",
           "127.255.255.254",
           "168.63.129.16",
           "169.254.169.254",
           "169.254.0.1",
           "172.16.0.1",
           "172.31.255.255",
           "192.0.0.8",
           "192.0.2.1",
           "192.88.99.1",
           "192.168.0.1",
           "198.18.0.1",
           "198.19.255.255",
           "198.51.100.7",
           "203.0.113.9",
           "224.0.0.1",
           "239.255.255.255",
           "240.0.0.1",
           "255.255.255.255",
           "::",
           "::1",
           "::127.0.0.1",
           "::8.8.8.8",
           "::ffff:127.0.0.1",
           "::ffff:a9fe:a9fe",
           "::ffff:0:127.0.0.1",
           "::ffff:0:8.8.8.8",
           "64:ff9b::127.0.0.1",
           "64:ff9b::a9fe:a9fe",
           "64:ff9b:1::8.8.8.8",
           "100::1",
           "fc00::1",
           "fd00:ec2::254",
           "fe80::1",
           "febf::1",
           "fec0::1",
           "ff02::1",
           "2001::1",
           "2001:0:102:304::1",
           "2001:2::1",
           "2001:10::1",
           "2001:20::1",
           "2001:db8::1",
           "2002:7f00:1::",
           "2002:a00:1::1",
           "2002:a9fe:a9fe::",
           "2a00:1450::5efe:127.0.0.1",
           "2a00:1450::200:5efe:10.0.0.1",
           "3ffe::1",
           "3fff::1",
           "4000::1",
           "5f00::1",
           "8000::1",
       })
    EXPECT_FALSE(is_public(address(text))) << text;
}

TEST(PublicAddress, AnAddressThatAnybodyCanReachIs) {
  for (const char* text : {"1.1.1.1",
                           "8.8.8.8",
                           "9.255.255.255",
                           "11.0.0.0",
                           "100.63.255.255",
                           "100.128.0.0",
                           "126.255.255.255",
                           "128.0.0.1",
                           "168.63.129.17",
                           "169.253.255.255",
                           "172.15.255.255",
                           "172.32.0.0",
                           "192.0.1.0",
                           "192.167.255.255",
                           "192.169.0.0",
                           "198.17.255.255",
                           "198.20.0.0",
                           "223.255.255.255",
                           "::ffff:8.8.8.8",
                           "64:ff9b::8.8.8.8",
                           "2001:4860:4860::8888",
                           "2002:808:808::1",
                           "2600::1",
                           "2a00:1450::1",
                           "2a00:1450::5efe:8.8.8.8"})
    EXPECT_TRUE(is_public(address(text))) << text;
}

TEST(Url, IsReadAsWhereItLeads) {
  const auto read = [](std::string_view url) { return read_url(url).value(); };
  EXPECT_EQ(read("https://Example.COM/hook?a=1&b=%20"), (Target{"example.com", 443, {}}));
  EXPECT_EQ(read("HTTP://example.com"), (Target{"example.com", 80, {}}));
  EXPECT_EQ(read("http://example.com.:8080?x"), (Target{"example.com", 8080, {}}));
  EXPECT_EQ(read("http://a_b-c.xn--3e0b707e/"), (Target{"a_b-c.xn--3e0b707e", 80, {}}));
  EXPECT_EQ(read("http://1and1.com:65535/").port, 65535);
  EXPECT_EQ(read("https://[2600::AB]:8443/x"), (Target{"2600::ab", 8443, address("2600::ab")}));
  EXPECT_EQ(read("https://[2600::ab]").port, 443);
}

TEST(Url, AnIpv4HostIsReadInEveryFormThatClientsKnow) {
  for (const char* host : {"127.0.0.1", "127.1", "127.0.1", "2130706433", "017700000001",
                           "0x7f000001", "0X7F.1", "0x7f.0x0.0x0.0x1", "0177.0.0.01", "0177.0.0.1",
                           "127.0.0.1.", "[::ffff:127.0.0.1]", "[::FFFF:7F00:1]", "0x7f.1"})
    EXPECT_EQ(read_url(std::string("http://") + host + "/").value().address, address("127.0.0.1"))
        << host;
  EXPECT_EQ(read_url("http://0").value().address, address("0.0.0.0"));
  EXPECT_EQ(read_url("http://0x/").value().address, address("0.0.0.0"));
  EXPECT_EQ(read_url("http://4294967295/").value().address, address("255.255.255.255"));
}

TEST(Url, WhatIsNotAllowedIsToldWithWhatIs) {
  const auto fault = [](std::string_view url) {
    const auto target = read_url(url);
    return target ? "" : target.error();
  };
  for (const char* url : {"", "example.com", "ftp://example.com/", "file:///etc/passwd",
                          "//example.com", "gopher://example.com", "javascript://x", "http:/x"})
    EXPECT_NE(fault(url).find("http:// or https://"), std::string::npos) << url;
  EXPECT_NE(fault("http://u:p@example.com/").find("user or password"), std::string::npos);
  EXPECT_NE(fault("http://u@example.com").find("user or password"), std::string::npos);
  EXPECT_NE(fault("http://example.com/#x").find("fragment"), std::string::npos);
  for (const char* url : {"http://example.com:0/", "http://example.com:65536",
                          "http://example.com:", "http://example.com:80a", "http://[::1]:x/",
                          "http://example.com:-1"})
    EXPECT_NE(fault(url).find("1 to 65535"), std::string::npos) << url;
  for (const char* url :
       {"http://", "http:///x", "http://a..b/", "http://.a/", "http://a%2eb/", "http://a,b/",
        "http://[::1/", "http://[127.0.0.1]/", "http://[fe80::1%25e]/", "http://256.1.1.1/",
        "http://1.2.3.4.5/", "http://08.1.1.1/", "http://4294967296/", "http://a.0x7g.1/",
        "http://1..1/"})
    EXPECT_NE(fault(url), "") << url;
  for (const char* url :
       {"http://a b/", "http://a\\b/", "http://a/\n", "http://예.kr/", "http://a/<"})
    EXPECT_NE(fault(url).find("percent-encoded"), std::string::npos) << url;
  EXPECT_EQ(fault("http://a/" + std::string(url_bytes_max - 9, 'x')), "");
  EXPECT_NE(fault("http://a/" + std::string(url_bytes_max - 8, 'x')).find("2049"),
            std::string::npos);
  EXPECT_NE(fault("http://" + std::string(64, 'a') + ".com/"), "");
}

TEST(Guard, RefusesAtOnceWhatCannotBePublic) {
  const Guard guard("");
  for (const char* url :
       {"http://127.0.0.1:6379/", "http://localhost/", "http://LOCALHOST./", "http://a.localhost/",
        "http://2130706433/", "http://0x7f.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://0/",
        "http://[64:ff9b::a00:1]/", "http://192.168.1.1/", "http://0300.0250.1/"}) {
    const auto fault = guard.fault(url);
    ASSERT_TRUE(fault) << url;
    EXPECT_NE(fault->find("not public"), std::string::npos) << url;
  }
  for (const char* url :
       {"https://example.com/", "http://8.8.8.8/", "https://localhost.example.com/",
        "http://[2600::1]/", "http://internal/"})
    EXPECT_FALSE(guard.fault(url)) << url << ": a name is judged when it is connected to";
  EXPECT_TRUE(guard.fault("ftp://example.com/"));
}

TEST(Guard, AllowsWhatItsOwnerNames) {
  const Guard guard("127.0.0.0/8, fd12::/16,10.1.2.3");
  for (const char* allowed : {"127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", "fd12::7", "10.1.2.3",
                              "64:ff9b::127.0.0.1", "8.8.8.8"})
    EXPECT_TRUE(guard.allows(address(allowed))) << allowed;
  for (const char* refused : {"128.0.0.0", "10.1.2.4", "fd13::1", "::1", "192.168.0.1"})
    EXPECT_EQ(guard.allows(address(refused)), std::string_view(refused) == "128.0.0.0") << refused;
  EXPECT_FALSE(guard.fault("http://localhost:8080/"));
  EXPECT_FALSE(guard.fault("http://0x7f.1/"));
  EXPECT_TRUE(guard.fault("http://10.1.2.4/"));
  for (const char* wrong : {"10.0.0.0/33", "10.0.0/8", "::/129", "a", "10.0.0.0/", "10.0.0.0/-1",
                            "10.0.0.0/8,", ",", "10.0.0.0/8 fd00::/8", "10.0.0.0/08x"})
    EXPECT_THROW(Guard{wrong}, std::invalid_argument) << wrong;
  EXPECT_TRUE(Guard("0.0.0.0/0").allows(address("169.254.169.254")));
  EXPECT_FALSE(Guard("0.0.0.0/0").allows(address("::1")));
  EXPECT_TRUE(Guard("::/0").allows(address("127.0.0.1")));
}

}  // namespace
}  // namespace millrace::outbound

// The client's side of TLS against OpenSSL's own server: whom it trusts, and what it takes up
// again.
#include "tercel/net/tls_client.h"

#include <fcntl.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "support/certificates.h"
#include "support/descriptors.h"
#include "support/temporary_directory.h"
#include "tercel/net/openssl.h"

namespace tercel::net {
namespace {

using test::Free;
using test::Identity;
using test::make;

// Sockets of a pair that do not wait.
test::SocketPair pair_of_sockets() {
  test::SocketPair pair = test::socket_pair();
  for (const int fd : {pair.ours.get(), pair.peers.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return pair;
}

class TlsClientTest : public testing::Test {
 protected:
  struct Outcome {
    bool trusted = false;  // The handshake came about, on both sides.
    bool resumed = false;
    std::string name = {};      // That the client indicated.
    std::string protocol = {};  // Of ALPN.
    int version = 0;
  };

  void SetUp() override {
    if (find_openssl() == nullptr) GTEST_SKIP() << "OpenSSL 3 is not on this machine";
    ca_ = make({});
    options_.ca = file("ca.pem", ca_);
    serve(make({.signer = &ca_}));
  }

  // A file with the certificate and its key.
  std::string file(const char* name, const Identity& identity) {
    std::string path = folder_.file(name);
    std::FILE* const out = std::fopen(path.c_str(), "w");
    PEM_write_X509(out, identity.certificate.get());
    PEM_write_PrivateKey(out, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    return path;
  }

  void serve(const Identity& identity) {
    server_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(server_.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(server_.get(), identity.key.get());
    SSL_CTX_set_session_id_context(server_.get(), reinterpret_cast<const unsigned char*>("t"), 1);
    SSL_CTX_set_alpn_select_cb(server_.get(), &choose_protocol, nullptr);
  }
  void demand_certificate() {
    SSL_CTX_set_verify(server_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(server_.get()), ca_.certificate.get());
  }
  static int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* bytes,
                             const unsigned char* offered, unsigned offered_bytes, void*) {
    static constexpr std::array<unsigned char, 9> kHttp{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, bytes, kHttp.data(), kHttp.size(), offered, offered_bytes) !=
        OPENSSL_NPN_NEGOTIATED) {
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
  }

  // A connection from the handshake to a byte of the server, behind which a ticket has come.
  Outcome connect(const std::string& host = "origin.example") {
    std::string problem;
    const auto context = TlsClientContext::create(options_, problem);
    EXPECT_TRUE(context) << problem;
    test::SocketPair pair = pair_of_sockets();
    std::unique_ptr<SSL, Free<&SSL_free>> ssl{SSL_new(server_.get())};
    SSL_set_fd(ssl.get(), pair.peers.get());
    SSL_set_accept_state(ssl.get());
    const auto stream = context->connect(system_calls(), pair.ours.release(), host, *sessions_);
    IoState client = IoState::kAgain;
    int server = 0;
    for (int i = 0; i < 10 && (client == IoState::kAgain || server != 1); ++i) {
      if (client == IoState::kAgain) client = stream->handshake();
      if (client == IoState::kFailed) break;
      if (server != 1) server = SSL_do_handshake(ssl.get());
    }
    if (client != IoState::kDone || server != 1) return {};
    EXPECT_EQ(SSL_write(ssl.get(), "!", 1), 1);
    char byte = 0;
    EXPECT_EQ(stream->read({&byte, 1}).state, IoState::kDone);
    EXPECT_EQ(byte, '!');
    const unsigned char* protocol = nullptr;
    unsigned bytes = 0;
    SSL_get0_alpn_selected(ssl.get(), &protocol, &bytes);
    const char* const name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
    return {true, SSL_session_reused(ssl.get()) == 1, name != nullptr ? name : "",
            std::string(reinterpret_cast<const char*>(protocol), bytes), SSL_version(ssl.get())};
  }

  test::TemporaryDirectory folder_;
  Identity ca_;
  TlsClientOptions options_;
  std::unique_ptr<SSL_CTX, Free<&SSL_CTX_free>> server_;
  std::optional<TlsSessions> sessions_{std::in_place};  // Of one server.
};

TEST_F(TlsClientTest, IndicatesTheNameAndHttp) {
  const Outcome outcome = connect();
  EXPECT_TRUE(outcome.trusted);
  EXPECT_EQ(outcome.name, "origin.example");
  EXPECT_EQ(outcome.protocol, "http/1.1");
  EXPECT_EQ(outcome.version, TLS1_3_VERSION);
}

TEST_F(TlsClientTest, TrustsNobodyElse) {
  EXPECT_FALSE(connect("other.example").trusted);
  serve(make({.signer = &ca_, .from_s = -7200, .until_s = -3600}));
  EXPECT_FALSE(connect().trusted) << "expired";
  serve(make({.signer = &ca_, .from_s = 3600, .until_s = 7200}));
  EXPECT_FALSE(connect().trusted) << "not valid yet";
  serve(make({}));
  EXPECT_FALSE(connect().trusted) << "signed by itself";
  const Identity stranger = make({});
  serve(make({.signer = &stranger}));
  EXPECT_FALSE(connect().trusted) << "signed by somebody unknown";
}

TEST_F(TlsClientTest, TrustsAnybodyWhenToldTo) {
  options_.verify = false;
  serve(make({}));
  EXPECT_TRUE(connect("other.example").trusted);
}

TEST_F(TlsClientTest, AnAddressIsComparedWithAddresses) {
  serve(make({.names = "IP:192.0.2.1,IP:2001:db8::1", .signer = &ca_}));
  const Outcome outcome = connect("192.0.2.1");
  EXPECT_TRUE(outcome.trusted);
  EXPECT_EQ(outcome.name, "");  // RFC 6066: no address.
  sessions_.emplace();
  EXPECT_TRUE(connect("2001:db8::1").trusted);
  sessions_.emplace();
  EXPECT_FALSE(connect("192.0.2.2").trusted);
}

TEST_F(TlsClientTest, ShowsItsCertificateToWhoDemandsOne) {
  demand_certificate();
  EXPECT_FALSE(connect().trusted);
  options_.certificate = file("client.pem", make({.signer = &ca_}));
  EXPECT_TRUE(connect().trusted);
}

TEST_F(TlsClientTest, TakesUpItsSessionsAgainAndAgain) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    sessions_.emplace();
    SSL_CTX_set_max_proto_version(server_.get(), version);
    Outcome outcome = connect();
    EXPECT_TRUE(outcome.trusted && !outcome.resumed) << version;
    EXPECT_EQ(outcome.version, version);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(connect().resumed) << version << ", time " << i;
  }
}

TEST_F(TlsClientTest, ASessionOfAnotherServerIsNoHindrance) {
  EXPECT_TRUE(connect().trusted);
  serve(make({.signer = &ca_}));
  const Outcome outcome = connect();
  EXPECT_TRUE(outcome.trusted);
  EXPECT_FALSE(outcome.resumed);
}

TEST_F(TlsClientTest, SpeaksNoOlderVersionThanAllowed) {
  SSL_CTX_set_max_proto_version(server_.get(), TLS1_2_VERSION);
  options_.version_min = TLS1_3_VERSION;
  EXPECT_FALSE(connect().trusted);
}

TEST_F(TlsClientTest, NamesTheFileThatIsNoGood) {
  const auto problem_of = [](const TlsClientOptions& options) {
    std::string problem;
    EXPECT_FALSE(TlsClientContext::create(options, problem));
    // Python's ssl would take it for one of its own.
    EXPECT_EQ(openssl().ERR_peek_last_error(), 0U) << problem;
    return problem;
  };
  TlsClientOptions authority;
  authority.ca = "/nowhere/ca.pem";
  EXPECT_NE(problem_of(authority).find(authority.ca), std::string::npos);
  TlsClientOptions own;
  own.certificate = "/nowhere/own.pem";
  EXPECT_NE(problem_of(own).find(own.certificate), std::string::npos);
  own.certificate = options_.ca;
  own.key = file("other.pem", make({}));  // Not the one of that certificate.
  EXPECT_NE(problem_of(own).find(own.key + "\": it is that of another"), std::string::npos);
  own.key = folder_.file("");  // The folder.
  EXPECT_NE(problem_of(own).find("Is a directory"), std::string::npos) << problem_of(own);
  own.key = folder_.file("empty.pem");
  std::fclose(std::fopen(own.key.c_str(), "w"));
  EXPECT_NE(problem_of(own).find(own.key + "\": it is empty."), std::string::npos);
}

}  // namespace
}  // namespace tercel::net

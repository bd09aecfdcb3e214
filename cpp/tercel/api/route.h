// A route as it is registered, and what can be told of it before requests come.
//
// Tested by app_test.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tercel/api/body_plan.h"
#include "tercel/api/call.h"
#include "tercel/api/credential_rule.h"
#include "tercel/api/negotiation.h"
#include "tercel/api/parameter.h"
#include "tercel/edge/rate_rule.h"
#include "tercel/route/problem.h"

namespace tercel::api {

// Credentials that a route asks for.
struct Demand {
  const CredentialRule* rule;  // Outlives the app.
  // Called without arguments for a request that does not meet it; null: the rule answers.
  std::unique_ptr<Endpoint> refused = {};
};

// Who is asked first about a request that shows credentials and is refused for something else: for
// its type, its length, its parameters or its body. Who is not who he says he is learns that, and
// nothing of what the route takes.
struct Authenticator {
  // Of the query, header fields, cookies and the path. Values that are none are refused by the rule
  // of the route's first demand; without one, as what is wrong with the request.
  std::vector<Parameter> parameters = {};
  // Called with these, and with Call::refusal, which it answers with when all is well:
  // Call::answer_refusal(). Null: nobody is asked.
  std::unique_ptr<Endpoint> endpoint = {};
};

struct Route {
  std::string method;
  std::string path;       // A template (route/template.h).
  std::string name = {};  // For messages.
  std::vector<Parameter> parameters = {};
  BodyPlan body = {};
  std::unique_ptr<Endpoint> endpoint = {};
  edge::RateRule* rate = nullptr;  // Outlives the app; null: no limit. Several routes may share it.
  std::vector<Demand> demands = {};  // Asked in this order.
  Authenticator authenticator = {};
  const Negotiation* negotiation = nullptr;  // Outlives the app; null: there is nothing to choose.
  bool strict = false;     // Who takes nothing of it gets 406; otherwise the first media type.
  bool passed_on = false;  // To App::set_passed_on().
};

// Each returns nothing, or a sentence that says what to change about the route.
// Too many parameters, or two of one name at one place.
[[nodiscard]] route::Problem check_parameters(const Route& route);
// Makes a form the body of a route that takes parameters from one, and that has no other: its limit
// is what the texts and the files may have together.
[[nodiscard]] route::Problem plan_form(Route& route);
// Adds the fields of the path that are no parameters. What is wrong with the path is told by who
// registers it.
[[nodiscard]] route::Problem add_path_parameters(Route& route, route::UserConverters* users);

}  // namespace tercel::api

"""Whatever a provider says, it is either right or not believed: random descriptions, keys and tokens."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from backend.auth import oidc
from backend.errors import BadInput, ProviderTrouble

ISSUER = "https://login.practice.example"
CLIENT = oidc.Client(ISSUER, "threadtime", "a secret", "https://threadtime.example/sign-in/back")
NOW = int(time.time()) * 1000
RSA = RSAKey.generate_key(2048, {"kid": "one"})
CURVE = ECKey.generate_key("P-256", {"kid": "two"})
PUBLISHED = KeySet([RSA, CURVE]).as_dict(private=False)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def claims(**changes):
    right = {
        "iss": ISSUER,
        "aud": "threadtime",
        "sub": "rosa",
        "nonce": "n",
        "iat": NOW // 1000,
        "exp": NOW // 1000 + 300,
    }
    return {name: value for name, value in {**right, **changes}.items() if value is not None}


def token(key=RSA, algorithm="RS256", **changes):
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims(**changes), key, algorithms=[algorithm])


def read(id_token, published=PUBLISHED):
    return oidc._claims(CLIENT, {"id_token": id_token}, published, "n", NOW)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "RS512"), (RSA, "PS256"), (CURVE, "ES256")],
)
def test_what_the_provider_signed_is_believed(key, algorithm):
    assert read(token(key, algorithm))["sub"] == "rosa"


def test_of_several_audiences_one_is_this_client_and_the_token_is_for_it():
    assert read(token(aud=["threadtime", "other"], azp="threadtime"))["sub"] == "rosa"
    for changes in ({"aud": ["threadtime", "other"]}, {"aud": ["threadtime", "other"], "azp": "other"}, {"aud": []}):
        with pytest.raises(ProviderTrouble):
            read(token(**changes))


def test_clocks_may_differ_by_a_minute():
    assert read(token(exp=NOW // 1000 - 59))
    for changes in ({"exp": NOW // 1000 - 61}, {"iat": NOW // 1000 + 61}, {"nbf": NOW // 1000 + 61}):
        with pytest.raises(ProviderTrouble):
            read(token(**changes))


def test_a_secret_among_the_published_keys_signs_nothing():
    shared = OctKey.import_key("a secret that everybody reads" * 2, {"kid": "three"})
    published = {"keys": [*PUBLISHED["keys"], shared.as_dict(private=True)]}
    with pytest.raises(ProviderTrouble):
        read(token(shared, "HS256"), published)
    assert read(token(), published), "and spoils none of the others"


def test_a_key_for_encryption_and_one_of_an_unknown_kind_are_passed_over():
    strange = [{"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"}, 7, {}]
    assert read(token(), {"keys": [*strange, *PUBLISHED["keys"]]})
    for_secrets = [{**each, "use": "enc"} for each in PUBLISHED["keys"]]
    with pytest.raises(ProviderTrouble):
        read(token(), {"keys": for_secrets})


@settings(max_examples=300)
@given(anything, anything)
def test_nonsense_in_the_place_of_a_token_or_of_keys_is_not_believed(said, keys):
    for id_token, published in ((said, PUBLISHED), (token(), {"keys": keys}), (token(), {}), (said, {"keys": keys})):
        with pytest.raises(ProviderTrouble) as refused:
            read(id_token, published)
        assert refused.value.code == "untrusted"


@settings(max_examples=200)
@given(st.sampled_from(sorted(claims())), anything)
def test_nonsense_in_a_claim_is_not_believed(name, value):
    said = {**claims(), name: value}
    if said == claims():
        return
    signed = jwt.encode({"alg": "RS256", "kid": "one"}, said, RSA)
    try:
        found = read(signed)
    except ProviderTrouble as refused:
        assert refused.code == "untrusted"
    else:
        assert (name, found["iss"], found["nonce"]) == (name, ISSUER, "n")
        assert name in ("sub", "iat", "exp", "aud")


@settings(max_examples=100)
@given(st.sampled_from(list(PUBLISHED["keys"])), st.data())
def test_a_damaged_key_is_not_believed(key, data):
    name = data.draw(st.sampled_from(sorted(set(key) - {"kid"})))
    damaged = {**key, name: data.draw(anything)}
    if damaged == key:
        return
    signed = token() if key["kty"] == "RSA" else token(CURVE, "ES256")
    try:
        read(signed, {"keys": [damaged]})
    except ProviderTrouble as refused:
        assert refused.code == "untrusted"
    else:
        assert name in ("use", "alg", "key_ops"), (name, json.dumps(damaged[name]))


def test_a_provider_that_is_silent_holds_four_threads_and_no_more():
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(5) as people:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ended = [each.exception() for each in [people.submit(oidc.discover, issuer) for _ in range(5)]]
    assert sorted(type(each).__name__ for each in ended) == ["Busy", *["ProviderTrouble"] * 4]
    assert {each.code for each in ended if isinstance(each, ProviderTrouble)} == {"unreachable"}
    with pytest.raises(ProviderTrouble):  # and what they held is free again
        oidc.discover(issuer)


@pytest.mark.parametrize(
    "text",
    ["", "login", "http://login.example", "https://", "https://[", "https://a b.example", "https://a@b.example",
     "https://login.example?x=1", "https://login.example#x", "ftp://127.0.0.1", "https://login.example:0",
     "http://127.0.0.1.evil.example", "http://localhost.evil.example"],
)  # fmt: skip
def test_what_is_no_issuer_is_refused(text):
    with pytest.raises(BadInput, match="An issuer is an address"):
        oidc.checked_issuer(text)


@pytest.mark.parametrize(
    "text", ["https://login.example", "https://login.example:8443/realms/main/", "http://127.0.0.1:9", "http://[::1]:9"]
)
def test_what_is_an_issuer_stays_as_it_is(text):
    assert oidc.checked_issuer(f" {text} ") == text


def test_each_way_there_has_secrets_of_its_own_made_of_the_browsers_and_the_state():
    found = {oidc.Secrets.of(browser, state) for browser in ("a", "b") for state in ("c", "d")}
    assert len({each.nonce for each in found} | {each.verifier for each in found}) == 8
    assert oidc.Secrets.of("a", "c") in found
    assert all(43 == len(each.nonce) == len(each.verifier) for each in found)  # RFC 7636: 43 to 128

"""Canonical addresses: one address for one article, however it was reached.

Belongs here: from an address as delivered to the one it is known by. Does not: fetching anything, article ids (`identity`).
"""

from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Who sent the reader, not what is read. Anything unknown stays: Korean papers name the article in `no`, `idx`, `arcid`.
_TRACKING = _words(
    """
    _ga _gl cexp_id cexp_var cmp cmpid dclid fbclid feature fp-alg fp-exp gclid gclsrc guccounter guce_referrer
    guce_referrer_sig icid igshid mc_cid mc_eid mod msclkid ncid ocid outputtype partner ref ref_src ref_url sh siteid
    smid smtyp soc_src soc_trk spm sr_share srnd taid test_uuid test_variant tpcc trk twclid wt.mc_id xtor yclid yptr
    __source __twitter_impression
    """
)
_TRACKING_PREFIXES = ("utm_", "at_", "hsa_", "pk_", "mtm_")
_MOBILE = ("www.", "m.", "mobile.", "amp.")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def canonical(address: str | None) -> str | None:
    """The address without scheme, `www.` or `m.`, tracking parameters, fragment and trailing slash; parameters in order.

    None if it names no article: not http, or the front page of a site.
    """
    try:
        parts = urlsplit((address or "").strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return None
    for prefix in _MOBILE:
        # `m.com` is a site, `m.site.com` the same article as `site.com`.
        if host.startswith(prefix) and "." in host.removeprefix(prefix):
            host = host.removeprefix(prefix)
            break
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    path = quote(unquote(parts.path), safe="/").rstrip("/").removesuffix("/amp")
    named = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted((name, value) for name, value in named if not _tracks(name)))
    if not path and not query:
        return None
    return f"{host}{path}?{query}" if query else f"{host}{path}"


def _tracks(parameter: str) -> bool:
    name = parameter.lower()
    return name in _TRACKING or name.startswith(_TRACKING_PREFIXES)

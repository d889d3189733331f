"""Every code that a check can give, with its severity. Append only: a code's place is its number in columns."""

from __future__ import annotations

__all__ = ["CODES"]

_LISTED = """
rule error
value.missing error
value.type error
value.too_long error
value.surrogate error
value.fullwidth warning
text.blank error
text.control error
text.bidi error
text.noncharacter error
text.zero_width warning
text.private_use warning
text.marks warning
text.confusable warning
text.line_break warning
email.no_at error
email.local_empty error
email.local_chars error
email.local_dots error
email.local_too_long error
email.domain_empty error
email.domain_chars error
email.domain_dots error
email.domain_hyphen error
email.domain_no_dot error
email.domain_tld error
email.domain_special_use error
email.domain_label_too_long error
email.domain_too_long error
email.domain_literal error
email.idn error
email.too_long error
email.unsafe_chars error
email.space error
email.fullwidth_at error
email.two_at error
email.quoted error
email.display_name error
email.smtputf8 error
email.syntax error
email.did_you_mean info
phone.not_a_number error
phone.country_code error
phone.no_region error
phone.too_short error
phone.too_long error
phone.not_assigned error
name.no_letter error
name.digits warning
name.symbol warning
name.placeholder warning
date.format error
date.impossible error
date.ambiguous error
date.order error
date.two_digit_year error
date.incomplete error
date.time_dropped warning
date.too_early error
date.too_late error
postal_code.format error
postal_code.country error
postal_code.unused warning
postal_code.country_unknown warning
currency.format error
currency.unknown error
currency.did_you_mean info
country.unknown error
country.did_you_mean info
luhn.format error
luhn.checksum error
card.format error
card.length error
card.checksum error
card.brand_unknown warning
iban.format error
iban.country error
iban.length error
iban.structure error
iban.checksum error
iban.unregistered warning
bic.format error
bic.country error
lei.format error
lei.checksum error
cn_id.format error
cn_id.checksum error
cn_id.date error
cn_id.province error
cn_id.county_bygone warning
cn_id.county_unknown warning
cn_uscc.format error
cn_uscc.checksum error
cn_uscc.region warning
cn_uscc.organisation_code warning
hkid.format error
hkid.checksum error
url.too_long error
url.format error
url.scheme error
url.host error
url.port error
url.credentials warning
id.format error
id.length error
id.checksum error
id.component error
vat.no_country error
vat.country error
value.placeholder warning
rule.identifier error
rule.birth_date_of_id error
rule.phone_country warning
rule.closed_before_opened error
"""

CODES: tuple[tuple[str, str], ...] = tuple(
    (code, severity) for code, severity in (line.split() for line in _LISTED.split("\n") if line)
)

"""How postal codes look, by country: # a digit, @ a letter, * either, everything else stands for itself.

Several forms are parted by ``|``. Source: the countries' entries in the Universal Postal Union's "Postal addressing
systems in member countries" (state of 2024), in own notation.
"""

from __future__ import annotations

__all__ = ["MASKS", "UNUSED"]

_BY_MASK = {
    "###": "FO IS LS MG OM PG",
    "####": "AF AL AT AU BD BE BG CC CH CX CY DK GE GW HM HU LI LR LU MK NE NF NO NZ PH PY SI SJ TN VE ZA",
    "#####": "BA CU DE DZ EE EG ES FI FR GT HR ID IQ IT JO KE KR KW LA LK MA ME MM MN MX MY NP PK RE SD SM SN "
             "TH TR UA UY VA XK YT ZM GF GP MQ PM WF BL MF NC PF MC",
    "#####|#####-####": "AS GU MH MP PR PW US VI SA FM",
    "######": "BY CN CO EC IN KG KZ MO RO RU SG TJ TM UZ PA NG TT",
    "#######": "CL",
}  # fmt: skip
_SINGLE = {
    "AC": "ASCN 1ZZ", "AD": "AD###", "AI": "AI-2640", "AM": "####|######", "AR": "####|@####@@@", "AX": "22###",
    "AZ": "####",
    "BB": "BB#####", "BH": "###|####", "BM": "@@ ##|@@ @@", "BN": "@@####", "BR": "#####-###", "BT": "#####",
    "CA": "@#@ #@#", "CR": "#####|####|#####-####", "CV": "####", "CZ": "### ##", "DO": "#####", "ET": "####",
    "FK": "FIQQ 1ZZ",
    "GB": "@# #@@|@## #@@|@@# #@@|@@## #@@|@#@ #@@|@@#@ #@@|GIR 0AA|BFPO #|BFPO ##|BFPO ###|BFPO ####",
    "GG": "GY# #@@|GY## #@@", "GI": "GX11 1AA", "GL": "39##", "GN": "###", "GR": "### ##", "GS": "SIQQ 1ZZ",
    "HN": "#####", "HT": "####", "IE": "@## ****|D6W ****", "IL": "#######|#####", "IM": "IM# #@@|IM## #@@",
    "IO": "BBND 1ZZ", "IR": "#####-#####", "JE": "JE# #@@|JE## #@@", "JP": "###-####", "KH": "######|#####",
    "KY": "KY#-####",
    "KR": "#####", "LB": "####|#### ####", "LT": "#####", "LV": "LV-####", "MD": "####", "MT": "@@@ ####|@@@ ##",
    "MU": "#####", "NA": "#####", "MV": "#####", "MZ": "####", "NI": "#####", "NL": "#### @@",
    "PE": "#####|LIMA #|LIMA ##|CALLAO #|CALLAO ##",
    "PL": "##-###", "PN": "PCRN 1ZZ", "PT": "####-###", "RS": "#####|######", "SE": "### ##",
    "SH": "ASCN 1ZZ|STHL 1ZZ|TDCU 1ZZ",
    "SK": "### ##", "SO": "@@ #####", "SV": "####|CP ####", "SZ": "@###", "TA": "TDCU 1ZZ", "TC": "TKCA 1ZZ",
    "TW": "###|#####|######", "TZ": "#####|####", "UM": "96898", "VC": "VC####", "VG": "VG####", "VN": "#####|######",
    "WS": "WS####",
    "LC": "LC## ###", "JM": "##", "MS": "MSR####",
}  # fmt: skip

MASKS: dict[str, tuple[str, ...]] = {
    country: tuple(mask.split("|")) for mask, countries in _BY_MASK.items() for country in countries.split()
} | {country: tuple(masks.split("|")) for country, masks in _SINGLE.items()}

UNUSED = frozenset(
    "AE AG AO AQ AW BF BI BJ BO BQ BS BV BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA GD GH GM GQ GY HK KI KM KN KP LY "
    "ML MR MW NR NU PS QA RW SB SC SL SR SS ST SX SY TD TF TG TK TL TO TV UG VU YE ZW EH".split()
)

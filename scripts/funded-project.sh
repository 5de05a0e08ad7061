#!/usr/bin/env bash
# A funded project by hand, with nothing but curl, against a running suite with
# tokens of its own (`make run`): three partners and two funders with rules of
# their own; refused at a gate for a missing document, and in a claim for VAT
# that is recovered; corrected, claimed, controlled with a cut, certified, paid,
# closed with a PDF report; and its lesson found from another organisation.
#
# A suite that does not listen or keep its data where `make run` does is named by
# the variables it was started with: TRAMA_HTTP, TRAMA_GRPC, TRAMA_DATA.
set -euo pipefail
cd "$(dirname "$0")/.."
trama=$PWD/.cache/bin/trama
B=http://${TRAMA_HTTP:-127.0.0.1:8080}/v1
export TRAMA_DATA; TRAMA_DATA=$(realpath "${TRAMA_DATA:-data}") # where the issuer's key is
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"

call() { curl -s -H "Authorization: Bearer $1" -H 'Content-Type: application/json' "$B/$2" ${3:+-d "$3"}; }   # call TOKEN PATH [BODY]
patch() { curl -s -X PATCH -H "Authorization: Bearer $1" -H 'Content-Type: application/json' "$B/$2" -d "$3"; }
upload() { curl -s -H "Authorization: Bearer $1" -H "Content-Type: $3" --data-binary "@$2" "$B/$P/files?displayName=$(basename "$2")"; }
field() { grep -o "\"$1\": *\"[^\"]*\"" | head -1 | cut -d'"' -f4; }

# 1. Who is in it: three partners, two funders, and an organisation that is not.
OP=$("$trama" token --as network-operator)
organisation() {
  o=$(call $OP organisations '{"displayName": {"text": "'"$1"'", "languageCode": "it"}, "legalForm": "'"$2"'", "kinds": ["'"$3"'"], "territory": {"countryCode": "IT"}}' | field name)
  call $OP $o:publish '{}' >/dev/null; echo $o
}
LEAD=$(organisation 'Cooperativa capofila' LEGAL_FORM_SOCIAL_COOPERATIVE_A ORGANISATION_KIND_MEMBER)
TRAINER=$(organisation 'Ente di formazione' LEGAL_FORM_FOUNDATION ORGANISATION_KIND_TRAINING_PROVIDER)
FIRM=$(organisation 'Impresa degli sportelli' LEGAL_FORM_COMPANY ORGANISATION_KIND_SUPPLIER)
REGION=$(organisation 'Autorità di gestione' LEGAL_FORM_PUBLIC_BODY ORGANISATION_KIND_FUNDER)
FOUNDATION=$(organisation 'Fondazione' LEGAL_FORM_FOUNDATION ORGANISATION_KIND_FUNDER)
OTHER=$(organisation 'Cooperativa vicina' LEGAL_FORM_SOCIAL_COOPERATIVE_A ORGANISATION_KIND_MEMBER)
M=$("$trama" token --as project-manager --organisation $LEAD)       # the lead's manager
C=$("$trama" token --as project-partner --organisation $FIRM)       # who claims for the firm
F=$("$trama" token --as funder --organisation $FOUNDATION)          # who controls for the foundation
N=$("$trama" token --as project-manager --organisation $OTHER)      # a manager elsewhere

# 2. The project, with a rule set for each funder.
P=$(call $M projects '{"organisation": "'$LEAD'", "title": {"text": "Sportelli di prossimità", "languageCode": "it"}, "currencyCode": "EUR",
  "startDate": "2024-01-08", "endDate": "2025-12-19", "territory": "it-21", "sectors": ["economia-sociale"], "objectives": [{"text": "Aprire due sportelli", "languageCode": "it"}],
  "partners": [{"organisation": "'$LEAD'", "role": "PARTNER_ROLE_LEAD"}, {"organisation": "'$TRAINER'", "role": "PARTNER_ROLE_PARTNER"}, {"organisation": "'$FIRM'", "role": "PARTNER_ROLE_PARTNER"}],
  "funders": [
    {"key": "fse", "displayName": "Autorità di gestione", "organisation": "'$REGION'", "grant": {"minorUnits": "4000000", "currencyCode": "EUR"}, "shareBasisPoints": 6000, "ruleSet": "ruleSets/esf-plus-2021-27"},
    {"key": "fondazione", "displayName": "Fondazione", "organisation": "'$FOUNDATION'", "grant": {"minorUnits": "2000000", "currencyCode": "EUR"}, "shareBasisPoints": 2500, "ruleSet": "ruleSets/fondazione-anticipo-saldo"}],
  "team": [{"subject": "pm@example.org", "role": "TEAM_ROLE_MANAGER", "organisation": "'$LEAD'"}],
  "stakeholders": [{"displayName": "Comuni", "interest": "LEVEL_HIGH", "influence": "LEVEL_HIGH"}]}' | field name)

# 3. Refused: a gate without its documents says what is missing.
call $M $P:advance '{}' | field detail
# 409 GATE_NOT_READY: the gate rfp stays shut: missing initiation-request (neither a link nor a checksum is recorded), business-case (…)
printf '%%PDF-1.4\n%%%%EOF\n' > document.pdf
SUM=$(upload $M document.pdf application/pdf | field sha256)
record() { for a in $2; do call $M $P/gates/$1:record '{"artefact": "'$a'", "sha256": "'$SUM'"}' >/dev/null; done; }
record rfp 'initiation-request business-case'
call $M $P:advance '{}' | field phase      # PHASE_PLANNING

# 4. Plan: a work package, who answers for it, a budget line; then the plans.
T=$(call $M $P/tasks '{"title": {"text": "Sviluppo degli sportelli", "languageCode": "it"}, "organisation": "'$FIRM'", "durationMinutes": "28800"}' | field name)
call $M $P/responsibilities '{"task": "'$T'", "assignments": [{"part": "RACI_PART_ACCOUNTABLE", "organisation": "'$LEAD'"}, {"part": "RACI_PART_RESPONSIBLE", "organisation": "'$FIRM'"}]}' >/dev/null
L=$(call $M $P/budgetLines '{"organisation": "'$FIRM'", "category": "COST_CATEGORY_EXTERNAL", "description": "Sviluppo", "workPackage": "'$T'", "amount": {"minorUnits": "2400000", "currencyCode": "EUR"}}' | field name)
D=$(call $M $P/deliverables '{"title": {"text": "Due sportelli", "languageCode": "it"}, "task": "'$T'", "organisation": "'$FIRM'", "dueDate": "2025-12-12"}' | field name)
record rfe 'handbook risk-plan quality-plan communication-plan acceptance-plan procurement-plan'
call $M $P:advance '{}' | field phase      # PHASE_EXECUTION

# 5. Refused: an invoice claimed with VAT that its partner recovers.
printf 'data;importo\n2024-06-20;12200,00\n' > estratto.csv
INVOICE=$(upload $C document.pdf application/pdf | field name); PROOF=$(upload $C estratto.csv text/csv | field name)
E=$(call $C $P/expenditures '{"organisation": "'$FIRM'", "budgetLine": "'$L'", "amount": {"minorUnits": "1220000", "currencyCode": "EUR"}, "files": ["'$INVOICE'"],
  "document": {"issuer": "Fornitore", "number": "FT 12", "date": "2024-05-20", "net": {"minorUnits": "1000000", "currencyCode": "EUR"}, "vat": {"minorUnits": "220000", "currencyCode": "EUR"}, "vatRecoverable": true},
  "payment": {"date": "2024-06-20", "reference": "Bonifico", "files": ["'$PROOF'"]}}' | field name)
K=$(call $C $P/claims '{"organisation": "'$FIRM'", "funder": "fondazione"}' | field name)
call $C $K:collect '{}' >/dev/null
call $C $K:submit '{}' | field description
# 409 CLAIM_BLOCKED, rule vat: The VAT is recovered: 10,000.00 € of document FT 12 is eligible, not 12,200.00 €.

# Corrected: the line is taken out, the cost is what is eligible, and the claim handed in.
X=$(call $C $K/lines | field name)
call $C $K:removeLines '{"lines": ["'$X'"]}' >/dev/null
patch $C $E '{"amount": {"minorUnits": "1000000", "currencyCode": "EUR"}, "amountNote": "IVA recuperata"}' >/dev/null
call $C $K:collect '{}' >/dev/null
call $C $K:submit '{}' | field state       # CLAIM_STATE_SUBMITTED

# 6. Controlled with a cut and its reason, certified, paid: 25 % of 9,900.00.
call $F $K:startControl '{}' >/dev/null
X=$(call $F $K/lines | field name)
call $F $X:correct '{"cut": {"minorUnits": "10000", "currencyCode": "EUR"}, "reason": "Cena sociale compresa nella fattura"}' >/dev/null
call $F $K:certify '{}' | field state      # CLAIM_STATE_CERTIFIED
call $F $K:recordPayment '{"payment": {"kind": "CLAIM_PAYMENT_KIND_BALANCE", "amount": {"minorUnits": "247500", "currencyCode": "EUR"}, "date": "2025-03-31", "reference": "Mandato 7"}}' | field state   # CLAIM_STATE_PAID

# 7. Closed, with a report; and the lesson is found by somebody else.
call $M $D:submit '{"sha256": "'$SUM'"}' >/dev/null; call $M $D:accept '{}' >/dev/null
call $M $P:advance '{}' | field phase      # PHASE_CLOSING
call $M $P/lessons '{"title": {"text": "Fatture con IVA recuperabile", "languageCode": "it"}, "whatHappened": {"text": "Una fattura è stata rendicontata al lordo", "languageCode": "it"},
  "recommendation": {"text": "Rendicontare l’imponibile", "languageCode": "it"}, "sharing": "SHARING_NETWORK"}' >/dev/null
curl -s -H "Authorization: Bearer $M" -o relazione.pdf "$B/$P/closingReport?languageCode=it"
SUM=$(upload $M relazione.pdf application/pdf | field sha256); record close project-end-report
for a in results-handed-over documents-archived; do call $M $P/gates/close:confirm '{"artefact": "'$a'", "confirmed": true}' >/dev/null; done
call $M $P:advance '{}' | field phase      # PHASE_CLOSED
call $N 'lessons:search?query=IVA%20recuperabile' | field name      # found from elsewhere
call $N $P | field reason                  # NOT_FOUND: but the project is not theirs to read

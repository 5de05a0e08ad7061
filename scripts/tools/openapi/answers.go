package main

// rateHeaders tell a caller what is left of its share: the pair of
// draft-ietf-httpapi-ratelimit-headers, and the trio that the guidelines name.
var rateHeaders = []string{"RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}

func headers() object {
	text := func(description string) object {
		return object{"description": description, "schema": object{"type": "string", "maxLength": 256}}
	}
	count := func(description string) object {
		return object{"description": description, "schema": object{"type": "integer", "format": "int32", "minimum": 0}}
	}
	const limited = " Sent where the deployment limits rates."
	return object{
		"Cache-Control":       text("Always no-store: answers depend on the caller and may hold personal data."),
		"ETag":                text("The resource's etag, for If-Match."),
		"RateLimit":           text("Requests left (r) and seconds until the share is full again (t)." + limited),
		"RateLimit-Policy":    text("The share: requests (q) in a window of seconds (w)." + limited),
		"RateLimit-Limit":     count("Requests in a window." + limited),
		"RateLimit-Remaining": count("Requests left in the window." + limited),
		"RateLimit-Reset":     count("Seconds until the share is full again." + limited),
		"Retry-After":         count("Seconds to wait."),
		"WWW-Authenticate":    text("The challenge (RFC 6750)."),
	}
}

// problems are the errors of operations, by status.
var problems = map[string]string{
	"400":     "BadRequest",
	"401":     "Unauthenticated",
	"403":     "Forbidden",
	"404":     "NotFound",
	"409":     "Conflict",
	"412":     "PreconditionFailed",
	"429":     "TooManyRequests",
	"500":     "InternalError",
	"503":     "Unavailable",
	"default": "Problem",
}

func responses() object {
	problem := func(description string, extra ...string) object {
		sent := object{}
		for _, h := range append(rateHeaders, extra...) {
			sent[h] = ref("headers/" + h)
		}
		return object{
			"description": description,
			"headers":     sent,
			"content":     object{"application/problem+json": object{"schema": ref("schemas/Problem")}},
		}
	}
	return object{
		"BadRequest":         problem("The request is malformed or breaks a rule of a field; `fields` says which."),
		"Unauthenticated":    problem("The token is absent, malformed, expired or not from the deployment's issuer.", "WWW-Authenticate"),
		"Forbidden":          problem("None of the caller's roles may do this."),
		"NotFound":           problem("There is no such resource, or not for this caller."),
		"Conflict":           problem("The resource's state does not allow it, somebody else was faster, or the idempotency key belongs to another request."),
		"PreconditionFailed": problem("The resource has changed since its etag was read."),
		"TooManyRequests":    problem("Too many requests: wait as long as Retry-After says.", "Retry-After"),
		"InternalError":      problem("The server failed; `traceId` finds it in the logs."),
		"Unavailable":        problem("A service does not answer now: try again after Retry-After.", "Retry-After"),
		"Problem":            problem("Any other error, as a problem document (RFC 9457)."),
	}
}

// conditions are the headers that stand for fields of a request.
func conditions() object {
	of := func(name, description string) object {
		return object{"name": name, "in": "header", "description": description, "schema": object{"type": "string", "maxLength": 128}}
	}
	return object{
		"IdempotencyKey": of("Idempotency-Key", "Sets requestId: the same key with the same request gives the same answer and one effect; with another request, 409."),
		"IfMatch":        of("If-Match", "Sets etag: the call is refused with 412 where the resource has changed since."),
	}
}

func problemSchema() object {
	text := func(description string) object { return object{"type": "string", "description": description} }
	return object{
		"type":        "object",
		"description": "What went wrong (RFC 9457).",
		"required":    []any{"type", "title", "status"},
		"properties": object{
			"type":     object{"type": "string", "format": "uri", "description": "`urn:trama:problem:<domain>:<reason>`."},
			"title":    text("The HTTP status in words."),
			"status":   object{"type": "integer", "format": "int32", "minimum": 100, "maximum": 599, "description": "The HTTP status."},
			"detail":   text("What is wrong, for people."),
			"instance": text("The path that was asked for."),
			"reason":   text("The reason for programs: a value of PlatformError or of the service's own error enum, for example `STALE_ETAG`."),
			"domain":   text("Who gives the reason: `trama`, or `<service>.trama`."),
			"metadata": object{"type": "object", "additionalProperties": object{"type": "string"}, "description": "Facts for programs."},
			"fields": object{"type": "array", "description": "The fields that are wrong.", "items": object{
				"type": "object", "required": []any{"field", "description"},
				"properties": object{
					"field":       text("Path of the field in JSON names."),
					"reason":      text("The reason for programs."),
					"description": text("What is wrong and what would be right."),
				},
			}},
			"traceId": text("Finds the request in logs and traces."),
		},
	}
}

func statusPath() object {
	up := object{"type": "object", "required": []any{"status"}, "properties": object{
		"status": object{"type": "string", "const": "ok", "description": "Always ok; whatever is wrong is a problem document."},
	}}
	return object{"get": object{
		"tags":        []any{"Status"},
		"operationId": "Status",
		"summary":     "Says whether the deployment can serve",
		"description": "Open to everyone, also without a token.",
		"security":    []any{object{}},
		"responses": object{
			"200":     object{"description": "It can.", "content": object{"application/json": object{"schema": up}}},
			"503":     ref("responses/Unavailable"),
			"default": ref("responses/Problem"),
		},
	}}
}

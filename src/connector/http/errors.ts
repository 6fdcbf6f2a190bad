/** Every error code of the public API. docs/errors.md documents each; a test compares the two. */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  invalid_json: { status: 400, title: 'The body is not JSON' },
  invalid_path: { status: 400, title: 'The path is not valid' },
  invalid_http: { status: 400, title: 'The request is not HTTP' },
  too_many_labels: { status: 400, title: 'The group would have too many labels' },
  not_found: { status: 404, title: 'There is nothing at this path' },
  group_not_found: { status: 404, title: 'There is no such group' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  group_exists: { status: 409, title: 'The group exists already' },
  version_mismatch: { status: 412, title: 'The group is not at this version' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  internal_error: { status: 500, title: 'A bug was met' },
  not_ready: { status: 503, title: 'The connector is not ready' },
  unavailable: { status: 503, title: 'Too few nodes answer' },
  outcome_unknown: { status: 504, title: 'Whether it was done is not known' },
} as const satisfies { [code: string]: { status: number; title: string } }

export type ProblemCode = keyof typeof PROBLEMS

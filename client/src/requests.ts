import type { Request } from './endpoint.ts'

/** A request with a body in JSON. */
export function withJson(
  method: Request['method'],
  path: string,
  body: unknown,
  headers: Request['headers'] = {},
): Request {
  return {
    method,
    path,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}

/** The headers for a condition that is given. */
export function ifMatchHeaders(ifMatch: string | undefined): { [name: string]: string } {
  return ifMatch === undefined ? {} : { 'if-match': ifMatch }
}

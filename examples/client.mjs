/** Sends one request to Cohort, and says how it ended. */

const api = process.env.API ?? 'http://127.0.0.1:8000'

/**
 * How long to wait for an answer. It is more than the TIMEOUT of the connector (3 s), so that the connector
 * answers first.
 */
const ANSWER_MS = 10_000

/**
 * Sends one request, once.
 *
 * `outcome` says what is known about a change:
 * - `done`: it was made; `body` and `etag` are those of the group after it
 * - `refused`: it was not made, and would be refused again; `code` says why
 * - `not_applied`: it was not made and will not be; too few nodes answered. The same request may be sent
 *   again
 * - `unknown`: it may have been made, or may still be made. Read before you decide what to do
 *
 * @param {string} method
 * @param {string} path
 * @param {{ body?: object, ifMatch?: string }} [options]
 */
export async function send(method, path, { body, ifMatch } = {}) {
  const headers = {
    ...(body && { 'content-type': 'application/json' }),
    ...(ifMatch && { 'if-match': ifMatch }),
  }
  let response
  let answer
  try {
    const signal = AbortSignal.timeout(ANSWER_MS)
    response = await fetch(api + path, { method, headers, body: body && JSON.stringify(body), signal })
    answer = await response.json()
  } catch (error) {
    // If the connection was refused, nothing was sent. If it broke, the request may have been sent.
    const wasRefused = error.cause?.code === 'ECONNREFUSED'
    return { outcome: wasRefused ? 'not_applied' : 'unknown', code: error.cause?.code ?? error.name }
  }
  if (response.ok) return { outcome: 'done', body: answer, etag: response.headers.get('etag') }
  const outcome = answer.outcome ?? (response.status < 500 ? 'refused' : 'unknown')
  return { outcome, code: answer.code, detail: answer.detail }
}

/** The path of a group. An id may have any characters, so it is encoded. */
export const groupPath = (groupId) => `/v1/group/${encodeURIComponent(groupId)}`

/** Waits before the next attempt: first about 0.1 s, then longer, but at most 2 s. */
export function pause(attempt) {
  const ms = Math.min(2_000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2)
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/**
 * Asks the services of a local cluster by HTTP. The modules of Node.js are enough for two questions, and the
 * HTTP client of the commands would cost a fifth of the CPU with which `up` starts.
 */
import type { RequestOptions } from 'node:https'
import { nodeHttp } from '../../process/node-http.ts'

export type ServiceAnswer = Readonly<{ status: number; body: string }>

/** A service of this machine that works answers sooner. */
const TIMEOUT_MS = 2_000

/**
 * Sends `GET` with these headers.
 *
 * @param url with `https:`, whose certificate one of the CAs of `ca` must have signed, or `http:`
 * @returns the answer, or `undefined` when there is none within 2 s
 */
export async function askService(
  url: string,
  { ca, headers }: Pick<RequestOptions, 'headers'> & Readonly<{ ca: string | undefined }>,
): Promise<ServiceAnswer | undefined> {
  const { get } = url.startsWith('https:') ? await import('node:https') : nodeHttp
  const options = { ca, headers, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }
  return new Promise((resolve) => {
    // It does not listen yet, or is gone.
    const onError = () => resolve(undefined)
    const asked = get(url, options as RequestOptions, (response) => {
      let body = ''
      response
        .setEncoding('utf8')
        .on('data', (text) => (body += text))
        .on('end', () => resolve({ status: response.statusCode ?? 0, body }))
        .on('error', onError)
    })
    asked.on('error', onError)
  })
}

/** Turns errors that Fastify or a route throws into error answers. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { GROUP_ID_LENGTH_MAX } from '../group/limits.ts'
import { OVERLOADED, sendOverloaded } from './admission/overloaded.ts'
import { BODY_BYTES_MAX } from './json-bodies.ts'
import { type ProblemExtras, sendProblem } from './problem.ts'
import type { RefuseByRate } from './rate-limit/limit-rates.ts'
import { invalidRequest, RequestError } from './request-error.ts'
import { REQUEST_ID_HEADER } from './request-id.ts'
import { fieldErrors, type Query } from './validation.ts'

export type ErrorHandlerOptions = Readonly<{
  logger: Logger
  retryAfterSeconds: number
  /** Called for a request whose caller is not known. */
  refuseByRate: RefuseByRate
}>

/**
 * Answers an error that was thrown before or in the handler of a route. An error of the client is answered
 * with 4xx. Any other error is a bug of this program: it is answered with 500, and logged.
 */
export function errorHandler({
  logger,
  retryAfterSeconds,
  refuseByRate,
}: ErrorHandlerOptions): (
  error: FastifyError | RequestError,
  request: FastifyRequest,
  reply: FastifyReply,
) => void {
  return (error, request, reply) => {
    // The hook that sets this header has not run when the error came before routing.
    reply.header(REQUEST_ID_HEADER, request.id)
    if (error === OVERLOADED) {
      // Fastify ends the connection after an error of a body, but this body has arrived whole.
      reply.removeHeader('connection')
      sendOverloaded(reply, retryAfterSeconds)
      return
    }
    const requestError = error instanceof RequestError ? error : requestErrorOf(error, request)
    if (requestError === undefined) {
      logger.error(
        { err: error, requestId: request.id },
        'a request failed because of a mistake in this program',
      )
      sendProblem(reply, 'internal_error', INTERNAL_ERROR)
      return
    }
    const { code, message: detail, parts } = requestError
    if (code === 'unauthenticated' && refuseByRate(request, reply)) return
    const { errors, ...others } = parts
    sendProblem(reply, code, { detail, ...others, ...(errors === undefined ? {} : { errors: [...errors] }) })
  }
}

const INTERNAL_ERROR: ProblemExtras = {
  detail:
    'A change may have been made: read before you repeat it. Please report this bug with the requestId.',
  outcome: 'unknown',
}

/**
 * The error of the client that an error of Fastify means. `undefined`: it is not an error of the client.
 */
function requestErrorOf(error: FastifyError, request: FastifyRequest): RequestError | undefined {
  if (error.validation !== undefined) {
    const query = error.validationContext === 'querystring' ? request.query : undefined
    return invalidRequest(fieldErrors(error.validation, query as Query | undefined))
  }
  switch (error.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new RequestError('unsupported_media_type', 'Send JSON, and say so with Content-Type.')
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new RequestError('body_too_large', `A body has at most ${bodyBytesMax(request)} bytes.`)
    case 'FST_ERR_BAD_URL':
      return new RequestError('invalid_path', 'Percent escapes in a path must be UTF-8, as in a%2Fb.')
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return invalidRequest([
        { field: 'groupId', message: `must have at most ${GROUP_ID_LENGTH_MAX} characters` },
      ])
    default:
      // The files of the documentation pages have entity tags, by which `@fastify/static` judges
      // preconditions.
      if (error.statusCode === 412) return new RequestError('precondition_failed', 'The file is another one.')
      return isClientsFault(error) ? new RequestError('invalid_http', error.message) : undefined
  }
}

/** The limit of the route, or the general limit if the error came before routing. */
function bodyBytesMax(request: FastifyRequest): number {
  return request.routeOptions?.bodyLimit ?? BODY_BYTES_MAX
}

function isClientsFault({ statusCode }: FastifyError): boolean {
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500
}

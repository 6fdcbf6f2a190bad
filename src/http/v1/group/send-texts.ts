import type { FastifyReply } from 'fastify'
import { joinCutTexts } from '../../../group/cut-text.ts'
import type { TextPage } from '../../../group/registry.ts'

/**
 * Answers with a page whose groups are texts already. The page has the fields of `GroupList`. Its bytes are
 * copied once: strings in between would take several times the memory of the page.
 */
export function sendTexts(reply: FastifyReply, { texts, ...rest }: TextPage): FastifyReply {
  const others = JSON.stringify(rest).slice(1)
  const closing = others === '}' ? ']}' : `],${others}`
  return reply.type('application/json; charset=utf-8').send(joinCutTexts('{"groups":[', texts, closing))
}

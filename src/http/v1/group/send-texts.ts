import type { FastifyReply } from 'fastify'
import type { TextPage } from '../../../group/registry.ts'

/** Answers with a page whose groups are texts already. The page has the fields of `GroupList`. */
export function sendTexts(reply: FastifyReply, { texts, ...rest }: TextPage): FastifyReply {
  const others = JSON.stringify(rest).slice(1)
  const separator = others === '}' ? '' : ','
  return reply
    .type('application/json; charset=utf-8')
    .send(`{"groups":[${texts.join(',')}]${separator}${others}`)
}

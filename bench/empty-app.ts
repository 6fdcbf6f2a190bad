/** The ceiling: the same Fastify, on the same machine, with handlers that do nothing. */
import { fastify } from 'fastify'

const app = fastify({ logger: false })
app.get('/v1/group/:groupId', () => ({}))
app.post('/v1/group', () => ({}))
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })

/**
 * The API's description: `/v1/openapi.json`, and pages that show it, `/v1/docs` (Swagger UI) and `/v1/redoc`.
 * All they need is served from here, and their Content-Security-Policy lets them load nothing from elsewhere.
 */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import fastifyStatic from '@fastify/static'
import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsync } from 'fastify'
import { openapiDocument } from '../openapi/document.ts'

/** Both pages put style elements into themselves; Redoc runs its search in a worker made of a blob. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  'worker-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const REDOC_FILE = 'redoc.standalone.js'

/** `Logo` of Redoc's foot comes from its makers' server: left out, not shown as a broken image. */
const REDOC_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Cohort API</title>
    <link rel="icon" href="data:,">
    <style>body { margin: 0 } a[href*="redocly.com"] img { display: none }</style>
  </head>
  <body>
    <div id="redoc"></div>
    <script src="/v1/redoc/${REDOC_FILE}"></script>
    <script src="/v1/redoc/start.js"></script>
  </body>
</html>
`

const REDOC_START = `Redoc.init('/v1/openapi.json', { hideDownloadButton: false }, document.getElementById('redoc'))
`

export function docsRoutes(): FastifyPluginAsync {
  return async (app) => {
    // A server may ignore Range (RFC 9110 §14.2). Nobody needs a part of these files.
    app.addHook('onRequest', (request, _reply, done) => {
      delete request.raw.headers.range
      done()
    })
    const json = JSON.stringify(openapiDocument)
    app.get('/v1/openapi.json', (_request, reply) => reply.type('application/json').send(json))
    await app.register(swaggerUi)
    await app.register(redoc)
  }
}

const swaggerUi: FastifyPluginAsync = async (app) => {
  await app.register(fastifySwagger, {
    mode: 'static',
    specification: { document: JSON.parse(JSON.stringify(openapiDocument)) },
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: '/v1/docs',
    staticCSP: CONTENT_SECURITY_POLICY,
    theme: { title: 'Cohort API' },
    // Without the bar on top, which is for loading other documents.
    uiConfig: { layout: 'BaseLayout', tryItOutEnabled: true, displayRequestDuration: true },
  })
}

const redoc: FastifyPluginAsync = async (app) => {
  const bundle = createRequire(import.meta.url).resolve(`redoc/bundles/${REDOC_FILE}`)
  await app.register(fastifyStatic, { root: dirname(bundle), serve: false })
  app.addHook('onSend', async (_request, reply) => {
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY)
  })
  app.get('/v1/redoc', (_request, reply) => reply.type('text/html; charset=utf-8').send(REDOC_PAGE))
  app.get('/v1/redoc/start.js', (_request, reply) => reply.type('text/javascript').send(REDOC_START))
  app.get(`/v1/redoc/${REDOC_FILE}`, (_request, reply) => reply.sendFile(REDOC_FILE))
}

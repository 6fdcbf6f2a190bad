/**
 * The API's description: `/v1/openapi.json`, and two pages that show it, `/v1/docs` (Swagger UI) and
 * `/v1/redoc`. The connector serves all their files. Their Content-Security-Policy forbids loading from other
 * servers.
 */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import fastifyStatic from '@fastify/static'
import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyPluginAsync, FastifySchema } from 'fastify'
import { Type } from '../../api/type.ts'
import { answer } from './describe.ts'
import { documentOptions } from './document.ts'

const SWAGGER_UI_PATH = '/v1/docs'
const REDOC_PATH = '/v1/redoc'

/** Both pages add style elements. Redoc runs its search in a worker that it makes from a blob. */
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

const REDOC_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Cohort API</title>
    <link rel="icon" href="data:,">
    <style>body { margin: 0 }</style>
  </head>
  <body>
    <div id="redoc"></div>
    <script src="${REDOC_PATH}/${REDOC_FILE}"></script>
    <script src="${REDOC_PATH}/start.js"></script>
  </body>
</html>
`

/**
 * Redoc shows a logo from its makers' server, which the policy forbids. It leaves the logo out if the logo
 * cannot be loaded. So the page gives it an empty image, before the browser asks that server.
 */
const REDOC_START = `const image = HTMLImageElement.prototype
const { setAttribute } = image
const { get, set } = Object.getOwnPropertyDescriptor(image, 'src')
const own = (url) => (/^https?:/.test(url) ? 'data:,' : url)
image.setAttribute = function (name, value) {
  setAttribute.call(this, name, name === 'src' ? own(value) : value)
}
Object.defineProperty(image, 'src', { get, set(value) { set.call(this, own(value)) } })
Redoc.init('/v1/openapi.json', { hideDownloadButton: false }, document.getElementById('redoc'))
`

const documentSchema = {
  operationId: 'getOpenapi',
  tags: ['Documentation'],
  summary: 'This document',
  response: { 200: answer('OpenAPI 3.1.', Type.Object({})) },
}

/** Files that only the pages load are not part of the API. */
const hidden = { hide: true }

/** `/v1/openapi.json` and the pages. `collectRoutes` must be called before the first route is added. */
export function docsRoutes(): FastifyPluginAsync {
  return async (app) => {
    // A server may ignore Range (RFC 9110 §14.2), and a part of these files is of no use.
    app.addHook('onRequest', (request, _reply, done) => {
      delete request.raw.headers.range
      done()
    })
    let json: string | undefined
    app.get('/v1/openapi.json', { schema: documentSchema }, (_request, reply) => {
      json ??= JSON.stringify(app.swagger())
      return reply.type('application/json').send(json)
    })
    await app.register(swaggerUi)
    await app.register(redoc)
  }
}

/** Collects the routes that are added from now on, for `app.swagger()`. */
export function collectRoutes(app: FastifyInstance): void {
  app.register(fastifySwagger, documentOptions())
}

const swaggerUi: FastifyPluginAsync = async (app) => {
  app.addHook('onRoute', (route) => {
    if (route.url === SWAGGER_UI_PATH)
      route.schema = pageSchema('getSwaggerUi', 'This document in Swagger UI')
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: SWAGGER_UI_PATH,
    staticCSP: CONTENT_SECURITY_POLICY,
    theme: { title: 'Cohort API' },
    // This layout has no bar at the top for loading other documents.
    uiConfig: { layout: 'BaseLayout', tryItOutEnabled: true, displayRequestDuration: true },
  })
}

const redoc: FastifyPluginAsync = async (app) => {
  const bundle = createRequire(import.meta.url).resolve(`redoc/bundles/${REDOC_FILE}`)
  await app.register(fastifyStatic, { root: dirname(bundle), serve: false })
  app.addHook('onSend', async (_request, reply) => {
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY)
  })
  const schema = pageSchema('getRedoc', 'This document in Redoc')
  app.get(REDOC_PATH, { schema }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(REDOC_PAGE),
  )
  app.get(`${REDOC_PATH}/start.js`, { schema: hidden }, (_request, reply) =>
    reply.type('text/javascript').send(REDOC_START),
  )
  app.get(`${REDOC_PATH}/${REDOC_FILE}`, { schema: hidden }, (_request, reply) => reply.sendFile(REDOC_FILE))
}

function pageSchema(operationId: string, summary: string): FastifySchema {
  const page = answer('A page that loads nothing from other servers.', Type.String(), {
    mediaType: 'text/html',
  })
  return { operationId, tags: ['Documentation'], summary, response: { 200: page } }
}

/** The options of TLS that several commands have. */
import { Option } from 'commander'

const NODE_FILES = {
  cert: 'the certificate for the connections between connectors and nodes',
  key: 'the private key of that certificate',
  ca: 'the CAs that sign the certificates of connectors and nodes',
} as const

/** --node-tls-cert-file and the two that belong to it. */
export function nodeTlsOption(file: keyof typeof NODE_FILES): Option {
  const variable = `NODE_TLS_${file.toUpperCase()}_FILE`
  return new Option(`--node-tls-${file}-file <path>`, `${NODE_FILES[file]} (${variable}; default: no TLS)`)
}

const API_FILES = {
  cert: 'the certificate of the API, for HTTPS',
  key: 'the private key of that certificate',
  'client-ca': 'the CAs of clients that show a certificate',
} as const

/** --tls-cert-file and the two that belong to it. */
export function apiTlsOption(file: keyof typeof API_FILES): Option {
  const variable = `TLS_${file.toUpperCase().replace('-', '_')}_FILE`
  const otherwise = file === 'client-ca' ? 'none' : 'HTTP'
  return new Option(`--tls-${file}-file <path>`, `${API_FILES[file]} (${variable}; default: ${otherwise})`)
}

const UNPROTECTED = 'listen where other machines connect, although nothing protects the port'

/** --insecure of a node. */
export function insecureNodeOption(): Option {
  return new Option('--insecure', `${UNPROTECTED} (INSECURE=true)`).preset('true')
}

/** --insecure of a connector. */
export function insecureApiOption(): Option {
  return new Option(
    '--insecure',
    `${UNPROTECTED}, and take requests for any host name (INSECURE=true)`,
  ).preset('true')
}

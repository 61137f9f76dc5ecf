/** The headers that keep browsers from making something of our answers. */
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer's headers are somebody else's: none of ours are added. */
    foreignHeaders?: boolean;
  }
}

/** What helmet sets, lower-case name -> value. It depends on nothing of a request, so it is worked out once. */
function helmetHeaders(https: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  const middleware = helmet({
    // Answers are data; pages set their own policy.
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: https,
    // Keyless look-ups are made from pages of other origins.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  });
  const recorder = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => undefined,
  };
  middleware({} as never, recorder as never, (error?: unknown) => {
    if (error !== undefined) throw error;
  });
  return headers;
}

/** Adds them to every answer; pages may set others in their place. `https`: browsers reach the server by https alone. */
export function installSecurityHeaders(app: FastifyInstance, https: boolean): void {
  const headers = helmetHeaders(https);
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.foreignHeaders !== true) reply.headers(headers);
    done();
  });
}

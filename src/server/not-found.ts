/** Addresses and methods that do not exist: which of the two it is, and what there is instead. */
import type { FastifyRequest, RouteOptions } from 'fastify';
import { PolyadError } from '../core/errors/index.ts';

/** Knows every route, to tell a wrong method from a wrong path. */
export class RouteTable {
  readonly #routes: { method: string; parts: string[] }[] = [];

  /** To be called for every route (`onRoute`). */
  add(route: Pick<RouteOptions, 'method' | 'url'>): void {
    for (const method of [route.method].flat()) this.#routes.push({ method, parts: route.url.split('/') });
  }

  /** Every route, as it was registered. */
  all(): { method: string; url: string }[] {
    return this.#routes.map(({ method, parts }) => ({ method, url: parts.join('/') }));
  }

  /** Methods that exist at a path. */
  methodsAt(path: string): string[] {
    const given = path.split('/');
    const found = this.#routes.filter(
      ({ parts }) =>
        (parts.length === given.length || (parts.at(-1) === '*' && given.length >= parts.length)) &&
        parts.every(
          (part, index) => part === '*' || (part.startsWith(':') ? given[index] !== '' : part === given[index]),
        ),
    );
    return [...new Set(found.map(({ method }) => method))].sort();
  }

  /** The error for a request that met no route: `method_unsupported` or `route_unknown`. */
  errorFor(request: Pick<FastifyRequest, 'method' | 'url'>): PolyadError {
    const path = request.url.split('?', 1)[0] as string;
    const methods = this.methodsAt(path);
    if (methods.length > 0)
      return new PolyadError('method_unsupported', {
        message: `${request.method} is not possible here; possible are ${methods.join(', ')}.`,
        details: { method: request.method, allowed_methods: methods },
      });
    return new PolyadError('route_unknown', { details: { method: request.method, path: path.slice(0, 200) } });
  }
}

/** Music of the commercial library that the simulator offers: [music id, title, author, style, duration in seconds]. */
export const MUSIC: readonly (readonly [string, string, string, string, number])[] = [
  ['6933123456789012481', 'Morning Light', 'Harbor Lane', 'POP', 31.4],
  ['6933123456789012482', 'Paper Planes Home', 'Nora Quill', 'ACOUSTIC', 28.9],
  ['6933123456789012483', 'Night Drive', 'Static Bloom', 'ELECTRONIC', 60],
  ['6933123456789012484', 'Slow Sunday', 'The Low Tides', 'CHILL', 45.2],
  ['6933123456789012485', 'Bright Steps', 'Kite & Co', 'POP', 30],
  ['6933123456789012486', 'Concrete Garden', 'Mono June', 'HIP_HOP', 59.1],
  ['6933123456789012487', 'Holiday Bells', 'Snowfield Choir', 'HOLIDAY', 33.7],
  ['6933123456789012488', 'Big Open Sky', 'Western Union Station', 'ROCK', 40.5],
];

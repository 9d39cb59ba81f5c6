// The page's language is on its html element; what scripts say follows it.
const english = () => document.documentElement.lang.startsWith('en');

export const speak = (chinese, translation) => (english() ? translation : chinese);

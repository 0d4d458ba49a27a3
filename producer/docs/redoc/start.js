Redoc.init('../openapi.json', {
  expandResponses: '200,202',
  hideDownloadButtons: false,
  nativeScrollbars: true,
}, document.getElementById('redoc'));

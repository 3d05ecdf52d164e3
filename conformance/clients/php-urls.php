<?php
// Symfony's UriSigner and Laravel's UrlGenerator as Debian ships them. As a command: a JSON array of questions on standard
// input, the answers on standard output. As the router of PHP's own server: judges the request that it got.
declare(strict_types=1);

require '/usr/share/php/Illuminate/Routing/autoload.php';
require '/usr/share/php/Illuminate/Http/autoload.php';
require '/usr/share/php/Symfony/Component/HttpFoundation/autoload.php';

use Illuminate\Http\Request;
use Illuminate\Routing\Route;
use Illuminate\Routing\RouteCollection;
use Illuminate\Routing\UrlGenerator;
use Illuminate\Support\Carbon;
use Symfony\Component\HttpFoundation\UriSigner;

function generator(string $secret, string $origin): UrlGenerator
{
    $routes = new RouteCollection();
    $routes->add((new Route(['GET'], '/{path}', fn () => ''))->name('all')->where('path', '.*'));
    $generator = new UrlGenerator($routes, Request::create($origin));
    $generator->setKeyResolver(fn () => $secret);
    return $generator;
}

/** @param array<string, mixed> $question */
function answer(array $question): string|bool
{
    switch ($question['do']) {
        case 'symfony sign':
            return (new UriSigner($question['secret']))->sign($question['url']);
        case 'symfony check':
            return (new UriSigner($question['secret']))->check($question['url']);
        case 'laravel sign':
            $end = isset($question['expires']) ? Carbon::createFromTimestamp($question['expires']) : null;
            $parameters = ['path' => $question['path']] + (array) $question['parameters'];
            return generator($question['secret'], $question['origin'])
                ->signedRoute('all', $parameters, $end, $question['absolute']);
        case 'laravel check':
            return generator($question['secret'], $question['url'])
                ->hasCorrectSignature(Request::create($question['url']), $question['absolute'], $question['ignore']);
    }
    throw new InvalidArgumentException($question['do']);
}

if (PHP_SAPI === 'cli-server') {
    $secret = getenv('SECRET');
    $request = Request::capture();
    $valid = str_starts_with($request->path(), 'symfony/')
        ? (new UriSigner($secret))->checkRequest($request)
        : generator($secret, $request->root())->hasValidSignature($request);
    http_response_code($valid ? 200 : 403);
    return;
}
echo json_encode(array_map('answer', json_decode(file_get_contents('php://stdin'), true, 512, JSON_THROW_ON_ERROR)), JSON_THROW_ON_ERROR);
